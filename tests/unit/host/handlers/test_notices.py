"""Notices about a transaction that stands already: script results, signatures, certificates."""

from __future__ import annotations

import json

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import (
    UNIONPAY_CARD,
    VISA_CARD,
    Exchange,
    HypercomTerminal,
    UnionPayTerminal,
)

from pos_specs.tlv import build_tlv
from pos_specs.totals import Side

SCRIPT = build_tlv([("95", "0000000000"), ("DF31", "2000000001"), ("9F26", "0011223344556677")]).hex().upper()
CERTIFICATE = build_tlv([("5A", VISA_CARD), ("9F26", "0011223344556677"), ("9F27", "40")]).hex().upper()
PICTURE = b"a picture of a name".hex().upper()


async def script_result(unionpay: UnionPayTerminal, sale: Exchange, **changes: str | None) -> Exchange:
    fields = {
        2: UNIONPAY_CARD,
        3: "000000",
        4: sale.request.fields[4],
        11: unionpay.next_stan(),
        22: "051",
        37: sale.rrn,
        38: sale.answer.fields[38],
        49: "156",
        55: SCRIPT,
        60: f"00{unionpay.batch}95150",
        61: unionpay.batch + sale.stan + "0302",
    }
    return await unionpay.send("0620", fields, {int(name[1:]): value for name, value in changes.items()})


async def sign(unionpay: UnionPayTerminal, sale: Exchange, mti: str, batch_info: str) -> Exchange:
    fields = {
        4: sale.request.fields[4],
        11: unionpay.next_stan(),
        15: "0302",
        37: sale.rrn,
        60: batch_info,
        62: PICTURE,
    }
    return await unionpay.send(mti, fields, {})


def kept(host: HostInProcess) -> tuple[str, str, dict[str, object]]:
    entry = host.memory.entries[-1].entry
    return entry.kind, entry.original, json.loads(entry.detail)


async def test_a_script_result_is_kept_beside_its_transaction(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    sale = await unionpay.purchase(1_00)
    key = host.memory.entries[-1].entry.key

    done = await script_result(unionpay, sale)

    assert ("0630", "00", sale.request.fields[4]) == (done.answer.mti, done.code, done.answer.fields[4])
    assert ("script_result", key, {"DF31": "2000000001", "original_known": True}) == kept(host)
    assert Side(1, 1_00) == host.groups("T0000001")["domestic_debit"]


@pytest.mark.parametrize("broken", ["", "9F", "DF31"])
async def test_chip_data_that_cannot_be_read_is_accepted_all_the_same(
    unionpay: UnionPayTerminal, host: HostInProcess, broken: str
) -> None:
    sale = await unionpay.purchase(1_00)

    assert "00" == (await script_result(unionpay, sale, f55=broken)).code
    assert {"original_known": True} == kept(host)[2]


async def test_a_notice_of_an_unknown_transaction_is_accepted(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    sale = await unionpay.purchase(1_00)

    done = await script_result(unionpay, sale, f61=f"{unionpay.batch}9999990302")

    assert "00" == done.code
    assert ("script_result", "", {"DF31": "2000000001", "original_known": False}) == kept(host)


@pytest.mark.parametrize(
    ("mti", "batch_info"),
    [("0820", "00000001800"), ("0820", "07000001301"), ("0820", "07000001800"), ("0920", "07000001")],
)
async def test_of_a_signature_only_its_size_is_kept(
    unionpay: UnionPayTerminal, host: HostInProcess, mti: str, batch_info: str
) -> None:
    sale = await unionpay.purchase(1_00)
    key = host.memory.entries[-1].entry.key

    done = await sign(unionpay, sale, mti, batch_info)

    assert (f"{mti[:2]}30", "00", sale.rrn) == (done.answer.mti, done.code, done.rrn)
    assert 62 not in done.answer.fields
    assert ("signature", key, {"signature_bytes": 19, "original_known": True}) == kept(host)


async def test_an_echo_is_still_an_echo(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    await unionpay.sign_in()
    entries = len(host.memory.entries)

    assert "00" == (await unionpay.echo()).code
    assert entries == len(host.memory.entries)


@pytest.mark.parametrize("original", ["rrn", "spaces"])
async def test_a_certificate_is_kept_beside_its_transaction_and_counts_nothing(
    hypercom: HypercomTerminal, host: HostInProcess, original: str
) -> None:
    sale = await hypercom.purchase(1_00)
    key = host.memory.entries[-1].entry.key
    named = sale.rrn if original == "rrn" else " " * 12
    fields = {
        3: "940000",
        4: "000000000100",
        11: hypercom.next_stan(),
        24: "003",
        55: CERTIFICATE,
        60: f"0200{sale.stan}{named}",
    }

    done = await hypercom.send("0320", fields, {})

    assert ("0330", "00") == (done.answer.mti, done.code)
    told = {"9F26": "0011223344556677", "9F27": "40", "original_known": True}
    assert ("tc_advice", key, told) == kept(host)
    assert VISA_CARD not in host.memory.entries[-1].entry.detail
    assert Side(1, 1_00) == host.groups("H0000001")["sales"]
    assert [] == list(host.book("H0000001").batches[-1].uploads)
