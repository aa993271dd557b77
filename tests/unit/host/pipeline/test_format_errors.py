"""What cannot be read is answered 30 where an answer can be formed, else the line is closed; never in silence."""

from __future__ import annotations

import json

import pytest
from tests.unit.host.pipeline.conftest import Terminal
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import Logs
from tests.unit.host.pipeline.terminals import UNIONPAY_CARD, HypercomTerminal, Iso87Terminal, UnionPayTerminal

from pos_specs.message import Message


def said(logs: Logs, event: str) -> list[str]:
    return [line["reason"] for line in logs if line["event"] == event]


async def test_letters_in_an_amount_are_answered_30_with_the_reason_logged(terminal: Terminal, logs: Logs) -> None:
    message = terminal.purchase_message(12_34)
    packed = terminal.dialect != "iso87-ascii"
    right, wrong = (
        (bytes.fromhex("000000001234"), bytes.fromhex("00000000123B")) if packed else (b"000000001234", b"00000000123B")
    )

    (answer,) = await terminal.line.ask_raw(terminal.line.bytes_of(message).replace(right, wrong))

    assert ("0210", "30", message.fields[11]) == (answer.mti, answer.fields[39], answer.fields[11])
    (reason,) = said(logs, "message_refused")
    assert reason.startswith("element 4 ")


async def test_a_format_error_is_journalled_with_its_reason(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    await unionpay.purchase(12_34, f25=None)

    entry = host.memory.entries[-1].entry
    assert ("refused", "format_error", "000001") == (entry.kind, entry.outcome, entry.stan)
    assert {"reason": "purchase: element 25 is missing"} == json.loads(entry.detail)


@pytest.mark.parametrize("absent", [3, 4, 11, 22, 25, 41, 42, 49, 60])
async def test_a_unionpay_purchase_that_lacks_an_element_is_answered_30(
    unionpay: UnionPayTerminal, logs: Logs, absent: int
) -> None:
    answer = (await unionpay.purchase(12_34, **{f"f{absent}": None})).answer

    assert "30" == answer.fields[39]
    assert [f"purchase: element {absent} is missing"] == said(logs, "message_refused")


@pytest.mark.parametrize("absent", [4, 11, 22, 24, 25, 41, 42])
async def test_a_hypercom_purchase_that_lacks_an_element_is_answered_30(
    hypercom: HypercomTerminal, absent: int
) -> None:
    assert "30" == (await hypercom.purchase(12_34, **{f"f{absent}": None})).code


@pytest.mark.parametrize("absent", [4, 11, 41, 42])
async def test_an_iso87_purchase_that_lacks_an_element_is_answered_30(iso87: Iso87Terminal, absent: int) -> None:
    assert "30" == (await iso87.purchase(12_34, **{f"f{absent}": None})).code


async def test_a_purchase_without_any_card_is_answered_30(terminal: Terminal, logs: Logs) -> None:
    assert "30" == (await terminal.purchase(12_34, f2=None)).code
    assert ["purchase: element 2 or 35 is missing"] == said(logs, "message_refused")


async def test_a_refused_message_enrols_nobody(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(12_34, f4=None)

    assert [] == host.registry.of_terminal(terminal.ids[41])


async def test_after_a_format_error_the_same_stan_can_be_used(terminal: Terminal) -> None:
    await terminal.purchase(12_34, f4=None)
    terminal.stan = 0

    assert "00" == (await terminal.purchase(12_34)).code


async def test_a_message_of_which_neither_stan_nor_terminal_can_be_read_closes_the_line(
    terminal: Terminal, logs: Logs
) -> None:
    data = bytearray(terminal.line.bytes_of(Message("0200", {3: "000000", 4: "000000001234"})))
    del data[-4:]
    counter = len(data) - (4 if terminal.dialect == "iso87-ascii" else 2)
    data[: len(data) - counter] = b"%04d" % counter if terminal.dialect == "iso87-ascii" else counter.to_bytes(2, "big")

    answers = await terminal.line.ask_raw(bytes(data))

    assert ([], True) == (answers, terminal.line.closed)
    (reason,) = said(logs, "connection_closed")
    assert reason.startswith("element ")


async def test_what_stands_behind_an_unreadable_message_is_not_decided(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    """Its answer could not be given any more."""
    await unionpay.sign_in()
    entries = len(host.memory.entries)
    unreadable = bytes.fromhex("000d6000030000603100311001") + b"\x02\x00"
    sale = unionpay.line.bytes_of(unionpay.purchase_message(1_00))

    assert [] == await unionpay.line.ask_raw(unreadable + sale)

    assert entries == len(host.memory.entries)


async def test_bytes_that_are_no_message_close_the_line_with_a_log_line(terminal: Terminal, logs: Logs) -> None:
    rubbish = b"GET / HTTP/1.1\r\n\r\n"

    await terminal.line.ask_raw(rubbish)

    assert terminal.line.closed
    assert 1 == len(said(logs, "connection_closed"))


async def test_a_length_over_the_limit_closes_the_line_with_a_log_line(unionpay: UnionPayTerminal, logs: Logs) -> None:
    await unionpay.line.ask_raw(b"\xff\xff" + bytes(50))

    assert unionpay.line.closed
    assert ["framing: length 65535 is over the limit of 2048 bytes"] == said(logs, "connection_closed")


async def test_answers_before_a_framing_error_are_still_given(unionpay: UnionPayTerminal) -> None:
    await unionpay.sign_in()
    echo = unionpay.line.bytes_of(Message("0820", {**unionpay.ids, 60: "00000001301"}))

    answers = await unionpay.line.ask_raw(echo + b"\xff\xff")

    assert ["0830"] == [answer.mti for answer in answers]
    assert unionpay.line.closed


async def test_a_response_is_ignored_with_a_log_line(terminal: Terminal, host: HostInProcess, logs: Logs) -> None:
    sale = await terminal.purchase(12_34)
    before = len(terminal.line.answers)

    terminal.line.feed(terminal.line.bytes_of(sale.answer))
    await host.quiet()

    assert before == len(terminal.line.answers)
    assert ["not a request"] == said(logs, "message_ignored")
    assert "00" == (await terminal.purchase(1_00)).code


async def test_keep_alives_are_neither_answered_nor_an_error(terminal: Terminal, host: HostInProcess) -> None:
    terminal.line.feed(b"0000" if terminal.dialect == "iso87-ascii" else bytes(2))
    await host.quiet()

    assert ([], False) == (terminal.line.answers, terminal.line.closed)
    assert "00" == (await terminal.purchase(1_00)).code


async def test_a_frame_may_come_byte_by_byte(terminal: Terminal) -> None:
    data = terminal.line.bytes_of(terminal.purchase_message(12_34))
    for byte in data[:-1]:
        terminal.line.feed(bytes((byte,)))

    (answer,) = await terminal.line.ask_raw(data[-1:])

    assert "00" == answer.fields[39]
    terminal.host.asked[:] = [(terminal.dialect, data)]


async def test_the_tpdu_is_turned_round_and_the_header_sent_back(unionpay: UnionPayTerminal) -> None:
    data = unionpay.line.bytes_of(
        unionpay.purchase_message(12_34),
        tpdu=bytes.fromhex("6005250000"),
        header=bytes.fromhex("61310531FFF1"),
    )

    await unionpay.line.ask_raw(data)

    frame = unionpay.line.frames[-1]
    assert ("6000000525", "61310031fff1") == (frame.tpdu.hex(), frame.header.hex())


async def test_an_error_packet_closes_the_line(hypercom: HypercomTerminal, logs: Logs) -> None:
    data = hypercom.line.bytes_of(hypercom.purchase_message(12_34), tpdu=bytes.fromhex("6800030000"))

    await hypercom.line.ask_raw(data)

    assert hypercom.line.closed
    assert ["framing: TPDU id 68 instead of 60: an error packet"] == said(logs, "connection_closed")


async def test_no_log_line_tells_what_an_unreadable_message_held(terminal: Terminal, logs: Logs) -> None:
    """The card's number stands before the element that is cut short."""
    data = terminal.line.bytes_of(terminal.purchase_message(12_34))[:-3]
    counter = len(data) - (4 if terminal.dialect == "iso87-ascii" else 2)
    head = b"%04d" % counter if terminal.dialect == "iso87-ascii" else counter.to_bytes(2, "big")

    await terminal.line.ask_raw(head + data[len(head) :])

    assert UNIONPAY_CARD not in repr(logs)
    assert said(logs, "message_refused") or said(logs, "connection_closed")
