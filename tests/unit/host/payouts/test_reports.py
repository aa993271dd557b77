"""The reports, and that their amounts add up."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from datetime import time
from typing import Any

import httpx
import pytest
from tests.unit.host.admin.small_office import api_of
from tests.unit.host.handlers.test_refund import close_batch
from tests.unit.host.payouts.test_payouts import OPERATOR, payouts_of, settle, sold_and_settled, until
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import verified
from tests.unit.host.pipeline.terminals import (
    OTHER_MERCHANT,
    UNIONPAY_CARD,
    VISA_CARD,
    HypercomTerminal,
    Iso87Terminal,
    UnionPayTerminal,
)

from pos_host.merchants.actors import ADMIN
from pos_host.merchants.versions import Scope
from pos_host.reports.csv_table import csv_table
from pos_host.reports.settlement_report import AMOUNTS, BY, ENDS
from pos_host.settlement.policy import load_policy
from pos_specs.totals import Side

pytestmark = pytest.mark.real_time  # pages of the API are made in threads

SUMS = (*AMOUNTS, *ENDS)
RENT = {"name": "rent", "amount_minor": 5_000, "currency": "CNY", "day_of_month": 4}


async def lived(host: HostInProcess) -> None:
    """A few days of three merchants' terminals, with every end a payout can have."""
    await host.parts.terms.fee_schedules.put(ADMIN, Scope(), {"charge": [RENT]})
    first = UnionPayTerminal(host)
    sale = await first.purchase(1000_00, VISA_CARD)
    await first.purchase(300_00, UNIONPAY_CARD, f22="072")
    await first.settle({"foreign_debit": Side(1, 1000_00), "domestic_debit": Side(1, 300_00)})
    second = HypercomTerminal(host, merchant_id=OTHER_MERCHANT)
    await second.purchase(77_77)
    await settle(second, 1, 77_77)
    third = Iso87Terminal(host)
    await third.purchase(55_55)
    await settle(third, 1, 50_00)
    await until(host, "03 12:00")
    await first.sign_in()
    await first.refund(sale, 1000_00)
    await first.settle({"foreign_credit": Side(1, 1000_00)})
    fourth = await sold_and_settled(host, 10_00, 20_00, terminal_id="T0000009")
    await host.parts.payouts.hold(OPERATOR, host.book(fourth.ids[41]).batches[0].batch_id, "asked")
    await until(host, "04 12:00")


async def report(api: httpx.AsyncClient, name: str, **wanted: Any) -> dict[str, Any]:
    answer = await api.get(f"/api/v1/reports/{name}", params=wanted)
    assert 200 == answer.status_code, answer.text
    document: dict[str, Any] = answer.json()
    return document


def added(lines: list[dict[str, Any]]) -> dict[str, int]:
    return {name: sum(line[name] for line in lines) for name in SUMS}


async def test_every_division_of_the_settlement_report_has_the_same_sums(host: HostInProcess) -> None:
    await lived(host)
    async with api_of(host.office) as api:
        made = {by: await report(api, "settlement", by=by) for by in BY}
        listed = (await api.get("/api/v1/payouts")).json()["items"]

    expected = {name: sum(one[name] for one in listed) for name in AMOUNTS}
    for by, one in made.items():
        assert expected == {name: added(one["items"])[name] for name in AMOUNTS}, by
        assert added(made["day"]["items"]) == added(one["items"]) == added(one["totals"]), by
    totals = added(made["day"]["totals"])
    assert totals["net_minor"] == sum(totals[name] for name in ENDS)
    assert all(totals[name] for name in ENDS if name != "returned_minor" and name != "pending_minor")
    assert 0 == verified(host)["differences"]


async def test_the_days_of_the_report_add_up_to_all_of_them(host: HostInProcess) -> None:
    await lived(host)
    async with api_of(host.office) as api:
        whole = await report(api, "settlement")
        days = [await report(api, "settlement", by="terminal", date=line["day"]) for line in whole["items"]]

    assert added(whole["totals"]) == added([line for day in days for line in day["items"]])


async def test_the_csv_has_the_lines_of_the_json(host: HostInProcess) -> None:
    await lived(host)
    async with api_of(host.office) as api:
        made = {by: (await report(api, "settlement", by=by))["items"] for by in BY}
        asked = {"format": "csv"}
        answers = {by: await api.get("/api/v1/reports/settlement", params={"by": by, **asked}) for by in BY}

    for by, answer in answers.items():
        read = list(csv.DictReader(io.StringIO(answer.text)))
        assert "text/csv" in answer.headers["content-type"]
        assert [{name: str(line[name]) for name in read[0]} for line in made[by]] == read, by


async def test_a_merchants_report_is_its_own(host: HostInProcess) -> None:
    await lived(host)
    async with api_of(host.office) as api:
        own = await report(api, "settlement", by="merchant", merchant_id=OTHER_MERCHANT)

    assert [(OTHER_MERCHANT, 77_77)] == [
        (line["merchant_id"], line["captured_minor"]) for line in own["items"] if line["captured_minor"]
    ]


async def test_the_report_of_discrepancies_says_by_how_much(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    sale = await terminal.purchase(50_00)
    await terminal.settle({"domestic_debit": Side(1, 51_00)})
    await terminal.upload((sale.stan, UNIONPAY_CARD, 51_00))
    await terminal.end_upload(1)
    async with api_of(host.office) as api:
        made = await report(api, "discrepancies", date="2026-03-02")
        nothing = await report(api, "discrepancies", date="2026-03-03")

    assert [("amount_differs", 51_00, 50_00, 1_00)] == [
        (line["kind"], line["terminal_minor"], line["host_minor"], line["difference_minor"]) for line in made["items"]
    ]
    assert [
        {"currency": "156", "records": 1, "terminal_minor": 51_00, "host_minor": 50_00, "difference_minor": 1_00}
    ] == (made["totals"])
    assert [] == nothing["items"]


async def test_the_report_of_what_was_unsettled_says_how_each_ended() -> None:
    host = HostInProcess(policy=dataclasses.replace(load_policy(None), auto_settle=time(0, 30)))
    forgotten, late = UnionPayTerminal(host), UnionPayTerminal(host, "T0000002")
    await forgotten.purchase(100_00)
    await until(host, "03 00:15")
    await host.office.advance_clock("PT30M")
    await late.purchase(200_00)
    await until(host, "04 00:15")
    async with api_of(host.office) as api:
        before = (await report(api, "unsettled"))["items"]
        await settle(late, 1, 200_00)
        after = (await report(api, "unsettled"))["items"]
        paid = {one["id"]: one for one in (await api.get("/api/v1/payouts")).json()["items"]}

    assert [("T0000001", "schedule"), ("T0000002", None)] == [(one["terminal_id"], one["ended"]) for one in before]
    assert [("T0000001", "schedule"), ("T0000002", "terminal")] == [(one["terminal_id"], one["ended"]) for one in after]
    for one in after:
        payout = paid[one["batch_id"]]
        assert (payout["gross_minor"], payout["net_minor"]) == (one["gross_minor"], one["net_minor"])


def test_a_text_that_a_spreadsheet_would_take_for_a_formula_is_none() -> None:
    assert "name\r\n'=1+1\r\n" == csv_table(("name",), [{"name": "=1+1"}])


# -- what came late


async def told_late(host: HostInProcess) -> None:
    """A batch the host settled, with an offline sale and a refund that only its late upload told of; all but the refund
    is paid."""
    terminal = UnionPayTerminal(host, "T0000010")
    await terminal.purchase(1000_00, VISA_CARD)
    await terminal.purchase(300_00, UNIONPAY_CARD, f22="072")
    await host.office.settle(terminal.ids[41], None)
    await terminal.upload_advice("30", "000900", UNIONPAY_CARD, 70_00)
    await until(host, "05 12:00")
    await terminal.upload_advice("25", "000901", UNIONPAY_CARD, 4_00)


async def test_what_was_told_late_is_in_every_division_of_the_settlement_report(host: HostInProcess) -> None:
    await lived(host)
    await told_late(host)
    async with api_of(host.office) as api:
        made = {by: await report(api, "settlement", by=by) for by in BY}
        listed = (await api.get("/api/v1/payouts")).json()["items"]

    late = [one for one in listed if one["id"] != one["batch_id"] and one["batch_id"]]
    assert [(70_00, 0), (0, 4_00)] == [(one["captured_minor"], one["refunded_minor"]) for one in late]
    expected = {name: sum(one[name] for one in listed) for name in AMOUNTS}
    for by, one in made.items():
        assert expected == {name: added(one["items"])[name] for name in AMOUNTS}, by
        assert added(one["items"]) == added(one["totals"]), by
    lines = {line["terminal_id"]: line for line in made["terminal"]["items"]}
    assert (1370_00, 4_00) == (lines["T0000010"]["captured_minor"], lines["T0000010"]["refunded_minor"])
    assert 0 == verified(host)["differences"]


async def test_the_report_of_what_was_unsettled_counts_what_was_told_late() -> None:
    host = HostInProcess(policy=dataclasses.replace(load_policy(None), auto_settle=time(0, 30)))
    terminal = UnionPayTerminal(host)
    await terminal.purchase(100_00)
    await until(host, "03 00:15")
    await host.office.advance_clock("PT30M")
    await terminal.upload_advice("30", "000900", UNIONPAY_CARD, 7_00)
    async with api_of(host.office) as api:
        line = (await report(api, "unsettled"))["items"][0]
        paid = (await api.get("/api/v1/payouts")).json()["items"]
        sums = (await report(api, "settlement"))["totals"][0]

    assert 107_00 == line["gross_minor"] == sums["gross_minor"]
    assert sum(one["net_minor"] for one in paid) == line["net_minor"] == sums["net_minor"]


async def test_what_was_told_late_and_paid_is_in_the_report_of_discrepancies(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    sale = await terminal.purchase(10_00)
    await host.office.settle(terminal.ids[41], None)
    await terminal.upload_advice("30", "000900", UNIONPAY_CARD, 7_00)
    await until(host, "04 12:00")
    await terminal.upload((sale.stan, UNIONPAY_CARD, 15_00))
    async with api_of(host.office) as api:
        line = (await report(api, "discrepancies"))["items"][0]
        paid = (await report(api, "settlement"))["totals"][0]["paid_minor"]

    assert ("made", paid) == (line["payout_state"], line["paid_minor"])


async def test_totals_of_iso87_that_differ_are_told_once_for_all_they_are_of(
    iso87: Iso87Terminal, host: HostInProcess
) -> None:
    await iso87.purchase(10_00)
    await host.office.settle(iso87.ids[41], None)
    await iso87.purchase(5_00)
    await iso87.settle({"debits": Side(2, 16_00)})
    await host.watch.settle()
    async with api_of(host.office) as api:
        made = await report(api, "discrepancies")
        rows = await api.get("/api/v1/reports/discrepancies", params={"format": "csv"})

    line = made["items"][0]
    assert [("totals_differ", 16_00, 15_00, 1_00, "held")] == [
        (one["kind"], one["terminal_minor"], one["host_minor"], one["difference_minor"], one["payout_state"])
        for one in made["items"]
    ]
    assert ([2, 16_00], [2, 15_00]) == (line["terminal_totals"]["debits"], line["host_totals"]["debits"])
    assert [1_00] == [one["difference_minor"] for one in made["totals"]]
    assert 2 == len(rows.text.splitlines())
    assert 0 == verified(host)["differences"]


async def test_totals_of_iso87_that_agree_make_no_line(iso87: Iso87Terminal, host: HostInProcess) -> None:
    await iso87.purchase(10_00)
    await host.office.settle(iso87.ids[41], None)
    await iso87.purchase(5_00)
    await iso87.settle({"debits": Side(2, 15_00)})

    assert [] == (await host.parts.reports.discrepancies(None, None))["items"]


async def test_a_late_reversal_holds_the_payout_and_is_told_once(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    kept, sale = await terminal.purchase(10_00), await terminal.purchase(20_00)
    await host.office.settle(terminal.ids[41], None)
    await terminal.reverse(sale.request)
    await host.watch.settle()
    before = (await host.parts.reports.discrepancies(None, None))["items"]
    await terminal.settle({"domestic_debit": Side(1, 10_00)})
    await terminal.upload((kept.stan, UNIONPAY_CARD, 10_00))
    await terminal.end_upload(1)
    await host.watch.settle()
    after = (await host.parts.reports.discrepancies(None, None))["items"]

    assert [("reversed_late", sale.stan, 0, 20_00, -20_00, "held")] == [
        (
            *(one["kind"], one["stan"], one["terminal_minor"], one["host_minor"]),
            *(one["difference_minor"], one["payout_state"]),
        )
        for one in before
    ]
    assert before == after
    assert ["out_of_balance"] == json.loads(payouts_of(host)[0].reasons)
    assert 0 == verified(host)["differences"]


async def test_a_late_reversal_of_what_was_paid_says_so(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    sale = await terminal.purchase(20_00)
    await host.office.settle(terminal.ids[41], None)
    await until(host, "03 12:00")
    await terminal.reverse(sale.request)
    await host.watch.settle()
    line = (await host.parts.reports.discrepancies(None, None))["items"][0]

    assert ("made", payouts_of(host)[0].net_minor) == (line["payout_state"], line["paid_minor"])
    assert "made" == payouts_of(host)[0].state


async def test_a_late_reversal_and_the_totals_it_explains_count_once(iso87: Iso87Terminal, host: HostInProcess) -> None:
    sale = await iso87.purchase(10_00)
    await host.office.settle(iso87.ids[41], None)
    await iso87.reverse(sale.request)
    await iso87.purchase(5_00)
    await iso87.settle({"debits": Side(1, 5_00)})
    made = await host.parts.reports.discrepancies(None, None)

    assert ["reversed_late"] == [one["kind"] for one in made["items"]]
    assert [-10_00] == [one["difference_minor"] for one in made["totals"]]


async def test_a_late_reversal_in_a_batch_that_only_the_store_remembers_is_told_with_that_batch(
    host: HostInProcess,
) -> None:
    terminal = UnionPayTerminal(host)
    sale = await terminal.purchase(12_34)
    for amount_minor in (12_34, 1_00, 1_00, 1_00):
        if terminal.batch != "000001":
            await terminal.purchase(amount_minor)
        await close_batch(terminal, sales=(1, amount_minor))
    await terminal.reverse(sale.request)
    made = (await host.parts.reports.discrepancies(None, None))["items"]

    assert [(100_001, sale.stan, 12_34)] == [(one["batch_id"], one["stan"], one["host_minor"]) for one in made]
    assert "pending" == payouts_of(host)[0].state


async def test_a_late_reversal_of_a_voided_sale_is_no_discrepancy(host: HostInProcess) -> None:
    terminal = HypercomTerminal(host)
    sale = await terminal.purchase(20_00)
    await terminal.void(sale)
    await terminal.purchase(5_00)
    await host.office.settle(terminal.ids[41], None)
    await terminal.reverse(sale.request)
    await host.watch.settle()

    assert [] == (await host.parts.reports.discrepancies(None, None))["items"]
    assert "pending" == payouts_of(host)[0].state
