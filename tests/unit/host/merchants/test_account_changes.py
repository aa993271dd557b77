"""A settlement account changes: applied for, approved by somebody else, taken by the terminals, tried, completed."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest
from tests.unit.host.merchants.settlement_people import (
    ADMIN,
    NEW_NUMBER,
    OLD_NUMBER,
    OPERATOR,
    OTHER_REVIEWER,
    REVIEWER,
    THIRD_NUMBER,
    account,
    application,
    applied,
    approved,
    enrolled,
    pass_time,
    until_idle,
    with_account,
)
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import MERCHANT, UnionPayTerminal

from pos_host.ledger.merchant_rows import AuditRow
from pos_host.merchants.accounts.account_application import AccountApplication
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Forbidden, Refused
from pos_host.merchants.lives import NotNow
from pos_host.merchants.versions import Scope

DAY = date(2026, 3, 3)
DAY_MS = 86_400_000


@pytest.fixture
def host() -> HostInProcess:
    return HostInProcess()


def paid_to(host: HostInProcess, day: date = DAY, amount_minor: int = 1000) -> tuple[str, tuple[str, ...]]:
    """The last four digits of the account that is paid, and why nothing is paid."""
    paying = host.parts.details.accounts.payout_account(MERCHANT, "", day, amount_minor)
    return paying.masked.lstrip("*"), paying.hold_reasons


async def sold_and_paid(host: HostInProcess, terminal: UnionPayTerminal, sales: int = 2) -> None:
    """A few small sales, settled, and paid out days later."""
    for _ in range(sales):
        await terminal.purchase(1000)
    await host.office.settle(terminal.ids[41], None)
    await pass_time(host, 5 * DAY_MS)
    await terminal.sign_in()


async def test_a_change_goes_all_the_way(host: HostInProcess) -> None:
    terminal = await with_account(host)
    changes = host.parts.details.account_changes
    number = await applied(host)
    assert (OLD_NUMBER[-4:], ()) == paid_to(host)
    await changes.approve(REVIEWER, MERCHANT, number)
    assert ("", ("account_under_change",)) == paid_to(host)

    activated = await changes.activate(OPERATOR, MERCHANT, number)
    assert [{"terminal_id": "T0000001", "taken": False}] == activated["terminals"]
    await until_idle(host)
    assert "activated" == changes.of_merchant(MERCHANT)[0]["state"]

    await terminal.sign_in()
    await until_idle(host)
    testing = await changes.show(MERCHANT, number)
    assert ("testing", {"needed": 2, "settled": 0}) == (testing["state"], testing["tests"])
    assert [{"terminal_id": "T0000001", "taken": True}] == testing["terminals"]
    assert (NEW_NUMBER[-4:], ()) == paid_to(host)

    with pytest.raises(Refused) as refused:
        await changes.complete(OPERATOR, MERCHANT, number)
    assert "tests_not_settled" == refused.value.kind

    await sold_and_paid(host, terminal)
    completed = await changes.complete(OPERATOR, MERCHANT, number)
    assert "completed" == completed["state"]
    assert ["former", "active"] == [view["state"] for view in host.parts.details.accounts.of_merchant(MERCHANT)]
    assert 3 == len(completed["steps"])


async def test_a_parameter_download_takes_the_change_over_as_well(host: HostInProcess) -> None:
    terminal = await with_account(host)
    number = await approved(host)
    await host.parts.details.account_changes.activate(OPERATOR, MERCHANT, number)
    await terminal.send("0800", {11: terminal.next_stan(), 60: f"00{terminal.batch}360"}, {})
    await until_idle(host)

    assert "testing" == host.parts.details.account_changes.of_merchant(MERCHANT)[0]["state"]


async def test_a_terminal_has_to_take_a_change_over_also_after_a_restart(host: HostInProcess) -> None:
    await with_account(host)
    number = await approved(host)
    await host.parts.details.account_changes.activate(OPERATOR, MERCHANT, number)
    twin = host.twin()
    await until_idle(twin)
    assert "activated" == twin.parts.details.account_changes.of_merchant(MERCHANT)[0]["state"]

    await enrolled(twin)
    again = twin.twin()
    await until_idle(again)

    assert "testing" == again.parts.details.account_changes.of_merchant(MERCHANT)[0]["state"]


async def test_every_terminal_has_to_take_a_change_over(host: HostInProcess) -> None:
    terminal, other = await with_account(host), await enrolled(host, "T0000002")
    number = await approved(host)
    changes = host.parts.details.account_changes
    await changes.activate(OPERATOR, MERCHANT, number)
    await terminal.sign_in()
    await until_idle(host)
    shown = await changes.show(MERCHANT, number)
    assert {"T0000001": True, "T0000002": False} == {t["terminal_id"]: t["taken"] for t in shown["terminals"]}

    await other.sign_in()
    await until_idle(host)

    assert "testing" == changes.of_merchant(MERCHANT)[0]["state"]


async def test_terminals_are_asked_to_sign_in_when_a_change_is_activated(host: HostInProcess) -> None:
    await with_account(host)
    asked: list[tuple[str, str]] = []
    host.watch.remind = lambda book, command: asked.append((book.terminal_id, command["command"]))
    await host.parts.details.account_changes.activate(OPERATOR, MERCHANT, await approved(host))

    assert [("T0000001", "sign_in")] == asked


async def test_nobody_approves_what_they_applied_for_whatever_their_role(host: HostInProcess) -> None:
    await with_account(host)
    asked = await application(host)
    changes = host.parts.details.account_changes
    view = await changes.apply(ADMIN, MERCHANT, asked)
    for same in (ADMIN, Actor("Chen.Jie ", "reviewer")):
        with pytest.raises(Forbidden):
            await changes.approve(same, MERCHANT, view["change_id"])
        with pytest.raises(Forbidden):
            await changes.reject(same, MERCHANT, view["change_id"], ["no"])

    assert "approved" == (await changes.approve(REVIEWER, MERCHANT, view["change_id"]))["state"]


async def test_an_approval_that_something_blocks_is_kept_in_the_changes_history_and_in_the_trail(
    host: HostInProcess,
) -> None:
    await with_account(host)
    changes = host.parts.details.account_changes
    number = await applied(host, account=account(expires_on="2026-03-05"))
    await pass_time(host, 10 * DAY_MS)
    for _ in range(2):
        with pytest.raises(Refused, match="account_expired"):
            await changes.approve(REVIEWER, MERCHANT, number)

    view = changes.of_merchant(MERCHANT)[0]
    assert "submitted" == view["state"]
    lines = [(line["action"], line["by"], line["why"]) for line in view["history"]]
    assert [("approve_refused", REVIEWER.name, "account_expired")] == lines[1:]
    refused = [row for row in host.memory.all_rows(AuditRow) if row.result == "refused"]
    assert ["account_change.approve"] * 2 == [row.action for row in refused]


async def test_a_change_that_is_rolled_back_while_the_host_would_begin_its_tests_stays_rolled_back(
    host: HostInProcess,
) -> None:
    terminal = await with_account(host)
    changes = host.parts.details.account_changes
    number = await approved(host)
    await changes.activate(OPERATOR, MERCHANT, number)
    await terminal.sign_in()
    back = changes.roll_back(REVIEWER, MERCHANT, number, "a mistake")
    await asyncio.gather(back, changes.act_on_due(host.clock.now_ms()))

    assert "rolled_back" == changes.of_merchant(MERCHANT)[0]["state"]


async def test_the_person_an_application_is_for_does_not_approve_it(host: HostInProcess) -> None:
    await with_account(host)
    number = await applied(host, applicant="Wang.Wei")

    with pytest.raises(Forbidden):
        await host.parts.details.account_changes.approve(REVIEWER, MERCHANT, number)


async def test_a_rejected_change_tells_its_reasons(host: HostInProcess) -> None:
    await with_account(host)
    changes = host.parts.details.account_changes
    view = await changes.reject(REVIEWER, MERCHANT, await applied(host), ["the licence is not to be read"])

    assert ("rejected", ["the licence is not to be read"]) == (view["state"], view["reasons"])
    with pytest.raises(NotNow) as refused:
        await changes.activate(OPERATOR, MERCHANT, view["change_id"])
    assert ("reconsider",) == refused.value.possible


async def test_a_withdrawn_change_leaves_everything_as_it_was(host: HostInProcess) -> None:
    await with_account(host)
    changes = host.parts.details.account_changes
    await changes.withdraw(OPERATOR, MERCHANT, await approved(host))

    assert (OLD_NUMBER[-4:], ()) == paid_to(host)
    assert ["active", "discarded"] == [view["state"] for view in host.parts.details.accounts.of_merchant(MERCHANT)]


async def test_a_change_that_is_rolled_back_pays_to_the_account_before(host: HostInProcess) -> None:
    terminal = await with_account(host)
    changes = host.parts.details.account_changes
    number = await approved(host)
    await changes.activate(OPERATOR, MERCHANT, number)
    await terminal.sign_in()
    await until_idle(host)
    view = await changes.roll_back(REVIEWER, MERCHANT, number, "the bank knows no such account")

    assert "rolled_back" == view["state"]
    assert (OLD_NUMBER[-4:], ()) == paid_to(host)
    assert ["active", "former"] == [view["state"] for view in host.parts.details.accounts.of_merchant(MERCHANT)]


async def test_a_change_that_is_rolled_back_pays_to_the_account_that_it_took_the_place_of(host: HostInProcess) -> None:
    terminal = await with_account(host)
    changes = host.parts.details.account_changes
    first = await approved(host)
    await changes.activate(OPERATOR, MERCHANT, first)
    await terminal.sign_in()
    await until_idle(host)
    await sold_and_paid(host, terminal)
    await changes.complete(OPERATOR, MERCHANT, first)
    second = await applied(host, number=THIRD_NUMBER)
    await changes.roll_back(REVIEWER, MERCHANT, first, "the bank knows no such account")
    await terminal.sign_in()
    await changes.approve(REVIEWER, MERCHANT, second)
    view = await changes.activate(OPERATOR, MERCHANT, second)
    assert OLD_NUMBER[-4:] == view["account_before"]["number"][-4:]
    await changes.roll_back(REVIEWER, MERCHANT, second, "the wrong one")

    assert {OLD_NUMBER[-4:]: "active", NEW_NUMBER[-4:]: "former", THIRD_NUMBER[-4:]: "former"} == states(host)


async def test_a_change_completed_long_ago_is_not_rolled_back(host: HostInProcess) -> None:
    terminal = await with_account(host)
    changes = host.parts.details.account_changes
    number = await approved(host)
    await changes.activate(OPERATOR, MERCHANT, number)
    await terminal.sign_in()
    await until_idle(host)
    await sold_and_paid(host, terminal)
    await changes.complete(OPERATOR, MERCHANT, number)
    await pass_time(host, 31 * DAY_MS)

    with pytest.raises(Refused) as refused:
        await changes.roll_back(REVIEWER, MERCHANT, number, "too late")
    assert "too_late" == refused.value.kind


async def test_an_audit_of_the_first_payouts_falls_due_and_is_done_by_somebody_else(host: HostInProcess) -> None:
    terminal = await with_account(host)
    changes = host.parts.details.account_changes
    number = await approved(host)
    await changes.activate(OPERATOR, MERCHANT, number)
    await terminal.sign_in()
    await until_idle(host)
    await sold_and_paid(host, terminal)
    view = await changes.complete(OPERATOR, MERCHANT, number)
    assert view["audit_due_at"] is not None
    await pass_time(host, 8 * DAY_MS)
    events = [event["type"] for event in (await host.office.events(0, 1000))["items"]]
    assert 1 == events.count("settlement_account.change_audit_due")

    with pytest.raises(Forbidden):
        await changes.audit(Actor("LI.NA", "reviewer"), MERCHANT, number, "all as it should be")
    audited = await changes.audit(OTHER_REVIEWER, MERCHANT, number, "all as it should be")

    assert ("completed", "all as it should be") == (audited["state"], audited["audit_finding"])


async def test_a_standby_account_needs_no_terminal(host: HostInProcess) -> None:
    await with_account(host)
    number = await approved(host, role="standby")
    view = await host.parts.details.account_changes.activate(OPERATOR, MERCHANT, number)

    assert "completed" == view["state"]
    assert ["active", "standby"] == [view["state"] for view in host.parts.details.accounts.of_merchant(MERCHANT)]


def states(host: HostInProcess) -> dict[str, str]:
    """The state of each account by the last four digits of its number."""
    return {view["number"][-4:]: view["state"] for view in host.parts.details.accounts.of_merchant(MERCHANT)}


async def with_two_standbys(host: HostInProcess, *, first_is_frozen: bool = False) -> tuple[str, str]:
    """A merchant with a standby account and another in its place: the changes that made them so."""
    await with_account(host)
    changes = host.parts.details.account_changes
    first = await approved(host, role="standby")
    kept = await changes.activate(OPERATOR, MERCHANT, first)
    second = await approved(host, number=THIRD_NUMBER, role="standby")
    if first_is_frozen:
        await host.parts.details.accounts.freeze(REVIEWER, MERCHANT, kept["account"]["account_id"], "a court wants it")
    await changes.activate(OPERATOR, MERCHANT, second)
    assert "standby" == states(host)[THIRD_NUMBER[-4:]]
    return first, second


@pytest.mark.parametrize("frozen", [False, True])
async def test_a_standby_that_is_rolled_back_leaves_its_place_to_the_one_before(
    host: HostInProcess, frozen: bool
) -> None:
    _, second = await with_two_standbys(host, first_is_frozen=frozen)
    await host.parts.details.account_changes.roll_back(REVIEWER, MERCHANT, second, "the wrong one")

    before = "frozen_standby" if frozen else "standby"
    assert {OLD_NUMBER[-4:]: "active", NEW_NUMBER[-4:]: before, THIRD_NUMBER[-4:]: "former"} == states(host)
    await host.parts.details.accounts.report_loss(OPERATOR, MERCHANT, "the card was stolen")
    assert (("", ("account_frozen",)) if frozen else (NEW_NUMBER[-4:], ())) == paid_to(host)


async def test_the_last_standby_is_rolled_back_first(host: HostInProcess) -> None:
    changes = host.parts.details.account_changes
    first, second = await with_two_standbys(host)
    with pytest.raises(Refused) as refused:
        await changes.roll_back(REVIEWER, MERCHANT, first, "the wrong one")
    assert "not_the_last" == refused.value.kind

    await changes.roll_back(REVIEWER, MERCHANT, second, "the wrong one")
    await changes.roll_back(REVIEWER, MERCHANT, first, "this one too")

    assert {OLD_NUMBER[-4:]: "active", NEW_NUMBER[-4:]: "former", THIRD_NUMBER[-4:]: "former"} == states(host)


@pytest.mark.parametrize(("closed", "expected"), [("2", ("closed", "former")), ("3", ("standby", "closed"))])
async def test_a_standby_that_the_bank_closed_stays_closed_when_a_change_is_rolled_back(
    host: HostInProcess, closed: str, expected: tuple[str, str]
) -> None:
    _, second = await with_two_standbys(host)
    await host.parts.details.accounts.close(REVIEWER, MERCHANT, closed, "the bank says so")
    await host.parts.details.account_changes.roll_back(REVIEWER, MERCHANT, second, "the wrong one")

    assert expected == (states(host)[NEW_NUMBER[-4:]], states(host)[THIRD_NUMBER[-4:]])


async def test_a_standby_is_rolled_back_after_a_change_of_the_account_in_place(host: HostInProcess) -> None:
    await with_account(host)
    changes = host.parts.details.account_changes
    standby = await approved(host, role="standby")
    await changes.activate(OPERATOR, MERCHANT, standby)
    await changes.activate(OPERATOR, MERCHANT, await approved(host, number=THIRD_NUMBER))
    await changes.roll_back(REVIEWER, MERCHANT, standby, "the wrong one")

    assert {OLD_NUMBER[-4:]: "former", NEW_NUMBER[-4:]: "former", THIRD_NUMBER[-4:]: "active"} == states(host)


async def test_where_the_bank_closed_the_account_in_place_the_standby_is_paid(host: HostInProcess) -> None:
    await with_account(host)
    close = host.parts.details.accounts.close
    number = await approved(host, role="standby")
    await host.parts.details.account_changes.activate(OPERATOR, MERCHANT, number)
    await close(REVIEWER, MERCHANT, "1", "the bank closed it")
    assert (NEW_NUMBER[-4:], ()) == paid_to(host)

    await close(REVIEWER, MERCHANT, "2", "this one too")

    assert ("", ("no_account",)) == paid_to(host)


async def test_an_account_expires_by_the_day_at_the_merchant(host: HostInProcess) -> None:
    await with_account(host)
    asked = AccountApplication(account(expires_on="2026-03-02"), ())
    check = host.parts.details.account_changes.check
    assert "account_expired" not in [blocker["code"] for blocker in check(OPERATOR, MERCHANT, asked)]
    await host.parts.terms.policies.put(ADMIN, Scope(MERCHANT), {"time_zone": "Pacific/Auckland"})

    assert "account_expired" in [blocker["code"] for blocker in check(OPERATOR, MERCHANT, asked)]


async def test_a_lost_account_is_frozen_at_once_and_the_standby_is_paid(host: HostInProcess) -> None:
    await with_account(host)
    number = await approved(host, role="standby")
    await host.parts.details.account_changes.activate(OPERATOR, MERCHANT, number)
    told = await host.parts.details.accounts.report_loss(OPERATOR, MERCHANT, "the card was stolen")

    assert ("frozen", "standby") == (told["account"]["state"], told["payouts"])
    assert (NEW_NUMBER[-4:], ()) == paid_to(host)


async def test_payouts_are_held_when_an_account_is_lost_and_there_is_no_standby(host: HostInProcess) -> None:
    terminal = await with_account(host)
    await terminal.purchase(5000)
    told = await host.parts.details.accounts.report_loss(OPERATOR, MERCHANT, "the card was stolen")
    assert "held" == told["payouts"]
    assert ("", ("account_frozen",)) == paid_to(host)

    view = await host.parts.details.account_changes.apply(OPERATOR, MERCHANT, await application(host))

    assert ("submitted", True, ["batch_unsettled"]) == (view["state"], view["because_of_loss"], view["warnings"])


async def test_who_froze_an_account_does_not_release_it(host: HostInProcess) -> None:
    await with_account(host)
    accounts = host.parts.details.accounts
    await accounts.freeze(REVIEWER, MERCHANT, "1", "a court wants it")
    assert ("", ("account_frozen",)) == paid_to(host)
    with pytest.raises(Forbidden):
        await accounts.release(REVIEWER, MERCHANT, "1", "never mind")
    await accounts.release(OTHER_REVIEWER, MERCHANT, "1", "the court is done")

    assert (OLD_NUMBER[-4:], ()) == paid_to(host)


async def test_an_expired_account_is_not_paid(host: HostInProcess) -> None:
    await enrolled(host)
    given = account(OLD_NUMBER, expires_on="2026-06-30")
    await host.parts.details.accounts.record_first(ADMIN, MERCHANT, given)

    assert (OLD_NUMBER[-4:], ()) == paid_to(host, date(2026, 6, 30))
    assert ("", ("account_expired",)) == paid_to(host, date(2026, 7, 1))


async def test_a_merchant_without_an_account_on_record_is_paid_all_the_same(host: HostInProcess) -> None:
    await enrolled(host)

    assert ("", ()) == paid_to(host)


async def test_a_first_account_is_recorded_once(host: HostInProcess) -> None:
    await with_account(host)

    with pytest.raises(Refused) as refused:
        await host.parts.details.accounts.record_first(ADMIN, MERCHANT, account(THIRD_NUMBER))
    assert "has_account" == refused.value.kind
