"""Why an account cannot be changed: every reason at once, each with what it concerns and what to do."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.host.merchants.settlement_people import (
    ACCOUNT_PAPERS,
    ADMIN,
    NEW_NUMBER,
    OLD_NUMBER,
    OPERATOR,
    OTHER_REVIEWER,
    REVIEWER,
    THIRD_NUMBER,
    VIEWER,
    account,
    application,
    applied,
    approved,
    enrolled,
    papers,
    settled,
    until_idle,
    with_account,
)
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import MERCHANT, OTHER_MERCHANT, Iso87Terminal, UnionPayTerminal

from pos_host.journal import Posting
from pos_host.ledger.entry import Row
from pos_host.ledger.merchant import MERCHANT as MERCHANT_KIND
from pos_host.ledger.records import record
from pos_host.ledger.takeover import owed
from pos_host.merchants.accounts.account_application import AccountApplication
from pos_host.merchants.accounts.blockers import blocker_rules, blocking_in_words
from pos_host.merchants.desk import Refused

CODES = {
    "batch_unsettled",
    "payout_in_flight",
    "change_in_progress",
    "change_limit_reached",
    "permission_denied",
    "document_missing",
    "account_number_invalid",
    "account_expired",
    "account_closed",
    "account_type_not_allowed",
    "belongs_to_another_merchant",
    "holder_mismatch",
    "bank_not_supported",
    "frozen_by_acquirer",
    "terminal_not_synced",
    "terminal_fault",
    "terminal_offline",
    "terminal_clock_wrong",
    "merchant_closing",
}
"""settlement-life.md section 3."""


@pytest.fixture
def host() -> HostInProcess:
    return HostInProcess()


def found(host: HostInProcess, asked: AccountApplication | None = None, actor: Any = OPERATOR) -> dict[str, Any]:
    """The reasons by their code."""
    changes = host.parts.details.account_changes
    blockers = changes.blockers(actor, MERCHANT) if asked is None else changes.check(actor, MERCHANT, asked)
    return {blocker["code"]: blocker for blocker in blockers}


async def committed(host: HostInProcess, *rows: Row) -> None:
    """Rows that somebody else would write."""
    host.journal.post(Posting((), rows, lambda first: host.registry.apply(rows)))
    await host.durable()


async def stored(host: HostInProcess, kind: str, record_id: str, state: str, body: dict[str, Any]) -> None:
    await committed(host, record(kind, record_id, MERCHANT, state, host.clock.now_ms(), body))


def test_the_rules_have_every_reason_of_the_specification() -> None:
    rules = blocker_rules()
    assert CODES == {rule.code for rule in rules}
    assert all(rule.text and rule.remedy for rule in rules)


async def test_nothing_stands_in_the_way_of_a_merchant_in_order(host: HostInProcess) -> None:
    await with_account(host)

    assert {} == found(host, await application(host))


async def test_every_reason_is_told_at_once(host: HostInProcess) -> None:
    terminal = await with_account(host)
    other = UnionPayTerminal(host, "T0000009", OTHER_MERCHANT)
    await other.sign_in()
    details = host.parts.details
    await details.accounts.record_first(ADMIN, OTHER_MERCHANT, account(NEW_NUMBER))
    await details.accounts.freeze(REVIEWER, MERCHANT, "1", "a court wants it")
    await terminal.purchase(5000)
    await settled(host)
    await terminal.sign_in()
    await terminal.purchase(4900)
    now_ms = host.clock.now_ms()
    for number in ("7", "8", "9"):
        body = {"activated_at_ms": now_ms, "account_id": "1"}
        await committed(host, record("account_change", number, MERCHANT, "rolled_back", now_ms, body))
    await stored(host, "holder_change", "1", "submitted", {})
    await stored(host, "closure", "1", "closing", {"reason": "fault"})
    await stored(host, "terminal_clock", "1", "wrong", {"off_s": 3600})
    await stored(host, "merchant", MERCHANT, "closing", {})
    await committed(host, owed(1, MERCHANT, now_ms, {"what": "settlement_account"}))
    host.book("T0000001").session.closed = True

    wrong = account(
        NEW_NUMBER[:-1] + str((int(NEW_NUMBER[-1]) + 1) % 10),
        bank="999",
        account_type="credit_card",
        holder="Somebody Else",
        expires_on="2020-01-31",
    )
    blockers = found(host, AccountApplication(wrong, ()), VIEWER)

    told_elsewhere = {"account_closed", "belongs_to_another_merchant"}
    assert CODES - told_elsewhere == blockers.keys()
    for blocker in blockers.values():
        assert {"code", "text", "concerns", "remedy", "blocks"} == blocker.keys()
        assert blocker["concerns"]
    assert ["terminal T0000001, batch 000002"] == blockers["batch_unsettled"]["concerns"]
    assert ["business_licence", "identity_document", "proof_of_account", "authorisation"] == blockers[
        "document_missing"
    ]["concerns"]
    assert {"terminal_fault", "terminal_offline", "terminal_clock_wrong"} == {
        code for code, blocker in blockers.items() if not blocker["blocks"]
    }
    assert ["account.number"] == found(host, AccountApplication(account(), ()))["belongs_to_another_merchant"][
        "concerns"
    ]


async def test_a_refused_application_tells_its_blockers_and_changes_nothing(host: HostInProcess) -> None:
    terminal = await with_account(host)
    await terminal.purchase(5000)
    with pytest.raises(Refused) as refused:
        await host.parts.details.account_changes.apply(OPERATOR, MERCHANT, AccountApplication(account(), ()))

    assert "blocked" == refused.value.kind
    assert ["batch_unsettled", "document_missing"] == [b["code"] for b in refused.value.more["blockers"]]
    assert [] == host.parts.details.account_changes.of_merchant(MERCHANT)
    assert 1 == len(host.parts.details.accounts.of_merchant(MERCHANT))


async def test_a_batch_without_money_blocks_nothing(host: HostInProcess) -> None:
    terminal = await with_account(host)
    sale = await terminal.purchase(5000)
    assert "batch_unsettled" in found(host)
    await terminal.reverse(sale.request)

    assert "batch_unsettled" not in found(host)


async def test_a_payout_that_is_under_way_blocks_until_it_is_made(host: HostInProcess) -> None:
    terminal = await with_account(host)
    await terminal.purchase(5000)
    await settled(host)
    assert "payout_in_flight" in found(host)
    await host.watch.advance(host.clock, host.clock.now_ms() + 5 * 86_400_000)

    assert "payout_in_flight" not in found(host)


async def test_an_account_that_the_bank_has_closed_is_not_taken_again(host: HostInProcess) -> None:
    await with_account(host)
    await host.parts.details.accounts.close(REVIEWER, MERCHANT, "1", "the bank says so")

    assert ["account 1"] == found(host, AccountApplication(account(OLD_NUMBER), ()))["account_closed"]["concerns"]


async def test_an_account_that_another_merchant_took_meanwhile_is_not_approved(host: HostInProcess) -> None:
    await with_account(host)
    await UnionPayTerminal(host, "T0000009", OTHER_MERCHANT).sign_in()
    number = await applied(host)
    await host.parts.details.accounts.record_first(ADMIN, OTHER_MERCHANT, account(NEW_NUMBER))

    with pytest.raises(Refused) as refused:
        await host.parts.details.account_changes.approve(REVIEWER, MERCHANT, number)
    assert ["belongs_to_another_merchant"] == [b["code"] for b in refused.value.more["blockers"]]


async def test_the_account_of_another_person_needs_an_authorisation(host: HostInProcess) -> None:
    await with_account(host)
    theirs = account(NEW_NUMBER, holder="Somebody Else")
    asked = AccountApplication(theirs, await papers(host))
    assert {"document_missing", "holder_mismatch"} == found(host, asked).keys()
    asked = AccountApplication(theirs, await papers(host, (*ACCOUNT_PAPERS, "authorisation")))

    assert {} == found(host, asked)


async def test_a_change_under_way_blocks_the_next(host: HostInProcess) -> None:
    await with_account(host)
    number = await applied(host)
    asked = AccountApplication(account(THIRD_NUMBER), await papers(host))
    assert {"change_in_progress"} == found(host, asked).keys()
    await host.parts.details.account_changes.withdraw(OPERATOR, MERCHANT, number)

    assert {} == found(host, asked)


async def test_a_terminal_that_did_not_take_the_last_change_blocks_the_next(host: HostInProcess) -> None:
    terminal = await with_account(host)
    changes = host.parts.details.account_changes
    number = await approved(host)
    await changes.activate(OPERATOR, MERCHANT, number)
    await changes.roll_back(REVIEWER, MERCHANT, number, "never mind")
    assert {"terminal_not_synced"} == found(host, await application(host, THIRD_NUMBER)).keys()
    await terminal.sign_in()
    await until_idle(host)

    assert {} == found(host, await application(host, THIRD_NUMBER))


async def test_a_terminal_whose_clock_is_wrong_is_warned_of(host: HostInProcess) -> None:
    await with_account(host)
    terminal = Iso87Terminal(host, "T0000002")
    fields: dict[int, str | None] = {11: terminal.next_stan(), 70: "001"}
    await terminal.send("0800", {**fields, 12: "233000", 13: "0302"}, {})
    blocker = found(host)["terminal_clock_wrong"]
    assert (["terminal T0000002, off by 12600 s"], False) == (blocker["concerns"], blocker["blocks"])
    await terminal.send("0800", {**fields, 11: terminal.next_stan(), 12: "200001", 13: "0302"}, {})

    assert "terminal_clock_wrong" not in found(host)


async def test_who_may_not_apply_is_told_so(host: HostInProcess) -> None:
    await with_account(host)

    assert ["account_change.apply"] == found(host, None, VIEWER)["permission_denied"]["concerns"]
    assert "permission_denied" not in found(host, None, OTHER_REVIEWER)


async def test_an_unknown_merchant_is_not_there(host: HostInProcess) -> None:
    with pytest.raises(Refused) as refused:
        host.parts.details.account_changes.blockers(OPERATOR, MERCHANT)
    assert 404 == refused.value.status


async def test_a_suspended_merchant_is_frozen(host: HostInProcess) -> None:
    await enrolled(host)
    await stored(host, MERCHANT_KIND, MERCHANT, "suspended", {})

    assert [f"merchant {MERCHANT}"] == found(host)["frozen_by_acquirer"]["concerns"]


def test_a_refusal_says_what_blocks_and_what_to_do_and_names_a_few_things_of_many() -> None:
    def blocker(code: str, concerns: list[str], *, blocks: bool = True) -> dict[str, object]:
        return {"code": code, "text": "", "concerns": concerns, "remedy": f"mend {code}", "blocks": blocks}

    found = [
        blocker("terminal_offline", ["terminal A"], blocks=False),
        blocker("batch_unsettled", [f"terminal {letter}" for letter in "ABCDE"]),
        blocker("document_missing", ["business_licence"]),
    ]

    assert (
        "batch_unsettled (terminal A, terminal B, terminal C and 2 more): mend batch_unsettled; "
        "document_missing (business_licence): mend document_missing"
    ) == blocking_in_words(found)
    assert "" == blocking_in_words(found[:1])
