"""Downloads: the terminal's parameters, keys of the schemes, chip applications; and the status it sends."""

from __future__ import annotations

import json

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import MERCHANT, Exchange, HypercomTerminal, UnionPayTerminal
from tests.unit.host.security.test_keys_and_macs import TMK, guarded

from pos_host.handlers.parameters import list_page
from pos_specs.chip_parameters import shipped_chip_parameters
from pos_specs.security.hypercom_keys import read_logon
from pos_specs.terminal_parameters import shipped_terminal_parameters
from pos_specs.tlv import parse_tlv


async def ask(terminal: UnionPayTerminal, mti: str, network_code: str, data: bytes | None = None) -> Exchange:
    """A management message of UnionPay with `data` in DE62."""
    fields = {60: f"00{terminal.batch}{network_code}", 62: None if data is None else data.hex().upper()}
    return await terminal.send(mti, fields, {})


def data_of(done: Exchange) -> bytes:
    return bytes.fromhex(done.answer.fields[62])


async def test_a_terminal_is_told_its_parameters_tag_by_tag(unionpay: UnionPayTerminal) -> None:
    done = await ask(unionpay, "0800", "360")

    assert ("0810", {12, 13, 37, 39, 41, 42, 60, 62}) == (done.answer.mti, set(done.answer.fields))
    parts = unionpay.line.language.parts.of(done.answer, 62)
    assert parts is not None
    assert ("60", "60", "3", "测试商户") == tuple(
        parts[name].strip() for name in ("application_type", "timeout_seconds", "resend_count", "merchant_name")
    )
    assert "unparsed" not in parts


async def test_a_download_is_journalled(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    await ask(unionpay, "0800", "360")

    entry = host.memory.entries[-1].entry
    assert ("parameters", "approved", "0800") == (entry.kind, entry.outcome, entry.mti)


@pytest.mark.parametrize("network_code", ["361", "371", "381"])
async def test_the_end_of_a_download_is_taken_note_of(unionpay: UnionPayTerminal, network_code: str) -> None:
    done = await ask(unionpay, "0800", network_code)

    assert ("00", None) == (done.code, done.answer.fields.get(62))


async def test_the_list_of_keys_can_be_downloaded_key_by_key(unionpay: UnionPayTerminal) -> None:
    listed = data_of(await ask(unionpay, "0820", "372", b"100"))

    assert b"1" == listed[:1]
    objects = parse_tlv(listed[1:])
    keys = [(objects[place][1], objects[place + 1][1]) for place in range(0, len(objects), 3)]
    assert [(key.rid, key.index) for key in shipped_chip_parameters().ca_keys] == keys
    for rid, index in keys:
        wanted = bytes.fromhex(f"9F0605{rid}9F2201{index}")
        key = shipped_chip_parameters().ca_key(rid, index)
        assert key is not None
        assert b"1" + key.download() == data_of(await ask(unionpay, "0800", "370", wanted))


async def test_the_list_of_applications_can_be_downloaded_one_by_one(unionpay: UnionPayTerminal) -> None:
    listed = data_of(await ask(unionpay, "0820", "382", b"100"))

    applications = shipped_chip_parameters().applications
    assert b"1" == listed[:1]
    assert [("9F06", application.aid) for application in applications] == parse_tlv(listed[1:])
    aid = applications[0].aid
    wanted = bytes.fromhex(f"9F06{len(aid) // 2:02X}{aid}")
    assert b"1" + applications[0].download() == data_of(await ask(unionpay, "0800", "380", wanted))


@pytest.mark.parametrize(
    ("network_code", "wanted"),
    [("370", "9F0605A0000003339F2201FF"), ("370", "9F06"), ("380", "9F0605A000000999")],
)
async def test_what_is_not_there_is_answered_with_nothing(
    unionpay: UnionPayTerminal, network_code: str, wanted: str
) -> None:
    done = await ask(unionpay, "0800", network_code, bytes.fromhex(wanted))

    assert ("00", b"0") == (done.code, data_of(done))


async def test_a_terminal_that_has_the_whole_list_is_told_that_there_is_nothing_more(
    unionpay: UnionPayTerminal,
) -> None:
    assert b"0" == data_of(await ask(unionpay, "0820", "372", b"199"))


async def test_an_unreadable_position_begins_the_list(unionpay: UnionPayTerminal) -> None:
    assert data_of(await ask(unionpay, "0820", "372", b"1AB")) == data_of(await ask(unionpay, "0820", "372", b"100"))


def test_a_long_list_goes_on_where_the_terminal_is() -> None:
    entries = [bytes([number]) * 4 for number in range(5)]

    pages = [list_page(entries, known, most_bytes=8) for known in (0, 2, 4, 5)]

    assert [b"2" + entries[0] + entries[1], b"2" + entries[2] + entries[3], b"1" + entries[4], b"0"] == pages


async def test_a_download_without_what_is_wanted_is_incomplete(unionpay: UnionPayTerminal) -> None:
    assert "30" == (await ask(unionpay, "0800", "370")).code


@pytest.mark.parametrize("processing_code", ["930000", "970000"])
async def test_a_hypercom_initialisation_brings_the_merchants_lines(
    hypercom: HypercomTerminal, processing_code: str
) -> None:
    done = await hypercom.send("0800", {3: processing_code, 11: hypercom.next_stan(), 24: "003"}, {})

    assert ("0810", "00") == (done.answer.mti, done.code)
    parts = hypercom.line.language.parts.of(done.answer, 62)
    assert parts is not None
    assert "POS-HOST TEST MERCHANT" == parts["merchant_line_1"].strip()


async def test_a_hypercom_logon_brings_them_behind_the_keys() -> None:
    answer = (await HypercomTerminal(guarded()).sign_in()).answer

    lines = read_logon(TMK, answer.fields[62].encode("latin-1")).lines
    assert shipped_terminal_parameters().merchant_lines == lines


@pytest.mark.parametrize("mti", ["0800", "0820"])
async def test_a_status_is_kept_and_goes_back_as_it_came(
    unionpay: UnionPayTerminal, host: HostInProcess, mti: str
) -> None:
    sent = b"010" + b"020" + b"031" + b"5100000000001212345"[:14]

    done = await ask(unionpay, mti, "362", sent)

    assert ("00", sent) == (done.code, data_of(done))
    assert {12, 13, 39, 41, 42, 60, 62} == set(done.answer.fields)
    told = json.loads(host.memory.entries[-1].entry.detail)
    assert {
        "keyboard_state": "0",
        "pin_pad_state": "0",
        "reader_state": "1",
        "line_statistics": "000000000012",
    } == told


async def test_of_a_status_that_cannot_be_read_nothing_is_kept(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    assert "00" == (await ask(unionpay, "0820", "362", b"6222021000112233449")).code

    entry = host.memory.entries[-1].entry
    assert ("status", "") == (entry.kind, entry.detail)


async def test_hypercom_statistics_are_accepted(hypercom: HypercomTerminal, host: HostInProcess) -> None:
    done = await hypercom.send("0800", {3: "910000", 11: hypercom.next_stan(), 24: "003"}, {})

    assert ("00", MERCHANT) == (done.code, host.book("H0000001").merchant_id)
