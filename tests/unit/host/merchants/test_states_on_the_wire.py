"""What a terminal is answered in each of its states, in every dialect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.host.merchants.closing_up import (
    OPERATOR,
    REVIEWER,
    apply,
    close,
    days_later,
    endings,
    reopen,
    told,
)
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import proven
from tests.unit.host.pipeline.terminals import (
    MERCHANT,
    UNIONPAY_CARD,
    HypercomTerminal,
    Iso87Terminal,
    UnionPayTerminal,
    debit_credit,
)
from tests.unit.host.pipeline.test_more_dialects import (
    Base24Terminal,
    BinaryTerminal,
    EbcdicTerminal,
    Iso93Terminal,
    LeftPanTerminal,
    PostilionTerminal,
    RightPaddedTerminal,
    TermAppTerminal,
    VersionedTerminal,
)

from pos_host.handlers.after_closing import AFTER_CLOSING
from pos_host.merchants.closing.terminal_states import Whom
from pos_specs.dialect_file import shipped_dialects
from pos_specs.totals import Side

Kind = type[UnionPayTerminal] | type[HypercomTerminal] | type[Iso87Terminal]

KINDS: tuple[Kind, ...] = (
    UnionPayTerminal,
    HypercomTerminal,
    EbcdicTerminal,
    VersionedTerminal,
    LeftPanTerminal,
    RightPaddedTerminal,
    Iso87Terminal,
    BinaryTerminal,
    PostilionTerminal,
    Base24Terminal,
    Iso93Terminal,
    TermAppTerminal,
)

CLOSED = {
    "unionpay": "97",
    "hypercom": "89",
    "hypercom-ebcdic": "89",
    "hypercom-99bill": "89",
    "hypercom-left-pan": "89",
    "hypercom-right-f": "89",
    "iso87-ascii": "58",
    "iso87-binary": "58",
    "postilion": "58",
    "base24-pos": "58",
    "iso93-ascii": "109",
    "termapp-a": "109",
}
"""`terminal_closed` in each dialect (the contract's table of outcomes)."""

EDITION_1993 = ("iso93-ascii", "termapp-a")

NOT_NOW = {**dict.fromkeys(CLOSED, "58"), **dict.fromkeys(EDITION_1993, "119")}
"""`not_allowed_now`."""

MERCHANT_CLOSED = {**dict.fromkeys(CLOSED, "03"), **dict.fromkeys(EDITION_1993, "109")}
"""`merchant_closed`."""

APPROVED = {**dict.fromkeys(CLOSED, "00"), **dict.fromkeys(EDITION_1993, "000")}


@pytest.fixture
async def host() -> AsyncIterator[HostInProcess]:
    host = HostInProcess()
    async with proven(host):
        yield host


@pytest.fixture(params=KINDS, ids=lambda kind: kind.dialect)
def terminal(request: pytest.FixtureRequest, host: HostInProcess) -> Any:
    return request.param(host)


def whom(host: HostInProcess, terminal: Any) -> Whom:
    return Whom(MERCHANT, host.book(terminal.ids[41].rstrip()))


def test_the_table_has_every_shipped_dialect() -> None:
    assert set(shipped_dialects()) == set(CLOSED) == {kind.dialect for kind in KINDS}


async def test_a_suspended_terminal_sells_nothing_and_ends_what_was_begun(host: HostInProcess, terminal: Any) -> None:
    sale = await terminal.purchase(100_00)
    await endings(host).suspensions.suspend(OPERATOR, whom(host, terminal), "violation", "sold to itself")

    codes = [(await terminal.purchase(50_00)).code, (await terminal.reverse(sale.request)).code]

    assert NOT_NOW[terminal.dialect] == codes[0]
    assert codes[1] in ("00", "400")
    await endings(host).suspensions.resume(REVIEWER, whom(host, terminal), "it was a mistake")
    assert APPROVED[terminal.dialect] == (await terminal.purchase(10_00)).code


async def test_a_closing_terminal_sells_nothing_and_settles(host: HostInProcess, terminal: Any) -> None:
    sale = await terminal.purchase(100_00)
    await apply(host, whom(host, terminal))

    refused = await terminal.purchase(50_00)
    reversed_ = await terminal.reverse(sale.request)

    assert NOT_NOW[terminal.dialect] == refused.code
    assert reversed_.code in ("00", "400")


async def test_everything_of_a_closed_terminal_is_refused_and_kept(host: HostInProcess, terminal: Any) -> None:
    sale = await terminal.purchase(100_00)
    await terminal.reverse(sale.request)
    await close(host, whom(host, terminal))

    codes = [(await terminal.purchase(50_00)).code, (await terminal.reverse(sale.request)).code]

    assert [CLOSED[terminal.dialect]] * 2 == codes
    kept = await endings(host).export.late_messages(host.book(terminal.ids[41].rstrip()))
    assert ["purchase", "reversal"] == [late["function"] for late in kept]
    assert [(50_00, "terminal_closed"), (100_00, "terminal_closed")] == [
        (late["amount_minor"], late["outcome"]) for late in kept
    ]


async def test_a_closed_merchant_is_said_to_all_its_terminals(host: HostInProcess, terminal: Any) -> None:
    await terminal.purchase(100_00, f4="000000000000")  # declined: it enrols, and leaves no money
    await close(host, Whom(MERCHANT))

    assert MERCHANT_CLOSED[terminal.dialect] == (await terminal.purchase(50_00)).code


async def test_no_terminal_enrols_under_a_merchant_that_closes_or_is_closed(host: HostInProcess) -> None:
    await UnionPayTerminal(host).sign_in()
    await apply(host, Whom(MERCHANT))
    closing = await UnionPayTerminal(host, "T0000002").sign_in()
    await endings(host).closures.withdraw(OPERATOR, Whom(MERCHANT), "stays after all")
    await close(host, Whom(MERCHANT))
    closed = await UnionPayTerminal(host, "T0000002").sign_in()

    assert ["58", "03"] == [closing.code, closed.code]
    assert ["T0000001"] == [book.terminal_id for book in host.registry if book.enrolled]


async def test_a_suspended_terminals_repeat_gets_its_first_answer(host: HostInProcess, terminal: Any) -> None:
    sale = await terminal.purchase(100_00)
    await endings(host).suspensions.suspend(OPERATOR, whom(host, terminal), "fault", "printer broken")

    assert sale.code == (await terminal.again(sale)).code


async def test_a_closing_terminal_refunds_completes_and_settles(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    await terminal.sign_in()
    sale, auth = await terminal.purchase(100_00), await terminal.auth(80_00)
    await apply(host, whom(host, terminal))

    codes = [
        (await terminal.refund(sale, 30_00)).code,
        (await terminal.complete(auth, 80_00)).code,
        (await terminal.auth(10_00)).code,
        (await terminal.sign_in()).code,
    ]
    settled = await terminal.settle(debit_credit((2, 180_00), (1, 30_00)))

    assert ["00", "00", "58", "00"] == codes
    assert "1" == settled.answer.fields[48][30]


async def test_a_closed_terminals_late_settlement_and_upload_are_kept_whole(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    await terminal.sign_in()
    await close(host, whom(host, terminal))

    settled = await terminal.settle(debit_credit((1, 12_34)))
    uploaded = await terminal.upload(("000009", UNIONPAY_CARD, 12_34))

    assert ["97", "97", "3"] == [settled.code, uploaded.code, settled.answer.fields[48][30]]
    late = await endings(host).export.late_messages(host.book("T0000001"))
    assert {"domestic_debit": [1, 12_34]}.items() <= late[0]["detail"]["totals"].items()
    assert [("000009", 12_34)] == [(r["stan"], r["amount_minor"]) for r in late[1]["detail"]["records"]]
    assert "card_print" not in str(late)
    assert ["terminal.late_message"] * 2 == told(host, "terminal.late_message")


async def test_a_late_settlement_in_hypercom_and_iso_is_kept_with_its_totals(host: HostInProcess) -> None:
    hypercom, iso87 = HypercomTerminal(host), Iso87Terminal(host)
    for terminal in (hypercom, iso87):
        await terminal.sign_in()
        await close(host, whom(host, terminal))

    codes = [
        (await hypercom.settle({"sales": Side(2, 20_00)})).code,
        (await iso87.settle({"debits": Side(3, 30_00)})).code,
    ]

    assert ["89", "58"] == codes
    kept = [stored.entry.detail for stored in host.memory.entries if stored.entry.kind == AFTER_CLOSING]
    assert '"sales": [2, 2000]' in kept[0]
    assert '"debits": [3, 3000]' in kept[1]


async def test_a_reopened_terminal_sells_after_its_sign_in_under_a_new_number(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    await terminal.sign_in()
    await close(host, whom(host, terminal))
    await reopen(host, whom(host, terminal))

    before = await terminal.purchase(10_00)
    barred = await terminal.purchase(10_00, f60="22000002000500")
    await terminal.sign_in()
    after = await terminal.purchase(10_00)

    assert ["77", "58", "00"] == [before.code, barred.code, after.code]
    assert "000002" == terminal.batch


async def test_in_every_dialect_a_reopened_terminal_sells_again(host: HostInProcess, terminal: Any) -> None:
    sale = await terminal.purchase(100_00)
    await terminal.reverse(sale.request)
    await close(host, whom(host, terminal))
    await reopen(host, whom(host, terminal))

    if terminal.dialect != "base24-pos":  # where no terminal signs in, only the line does
        if terminal.dialect != "unionpay":
            assert NOT_NOW[terminal.dialect] == (await terminal.purchase(10_00)).code
        if isinstance(terminal, Iso93Terminal):
            await terminal.network("801")
        else:
            await terminal.sign_in()

    assert APPROVED[terminal.dialect] == (await terminal.purchase(10_00)).code
    await days_later(host, 0)
