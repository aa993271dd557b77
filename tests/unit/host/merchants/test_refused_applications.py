"""Applications that blockers refuse are kept, and a complaint about one is followed to its answer."""

from __future__ import annotations

import pytest
from tests.unit.host.merchants.settlement_people import (
    ADMIN,
    MERCHANT,
    NEW_NUMBER,
    OPERATOR,
    REVIEWER,
    SECRETS,
    THIRD_NUMBER,
    account,
    application,
    approved,
    holder_application,
    papers,
    with_account,
)
from tests.unit.host.pipeline.host_in_process import HostInProcess

from pos_host.ledger.merchant_rows import AuditRow, RecordRow
from pos_host.merchants.accounts.account_application import AccountApplication
from pos_host.merchants.accounts.holders import GivenHolder
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Forbidden, Refused
from pos_host.merchants.lives import NotNow

ABOUT = "refused_application"


@pytest.fixture
async def host() -> HostInProcess:
    made = HostInProcess()
    await with_account(made)
    return made


async def refused(host: HostInProcess, asked: AccountApplication) -> Refused:
    """What the refusal of an application says."""
    with pytest.raises(Refused) as told:
        await host.parts.details.account_changes.apply(OPERATOR, MERCHANT, asked)
    assert "blocked" == told.value.kind
    return told.value


async def test_an_application_that_was_blocked_is_kept_with_all_that_stood_against_it(host: HostInProcess) -> None:
    asked = AccountApplication(account(bank="999"), (), reason=f"to {NEW_NUMBER}")
    told = await refused(host, asked)
    assert "1" == told.more["refused_application"]
    assert "refused application 1" in str(told)

    for kept in (host, host.twin()):
        (view,) = kept.parts.details.complaints.refused_applications(MERCHANT)
        assert ("refused", "account_change", "li.na") == (view["state"], view["about"], view["submitted_by"])
        assert ["document_missing", "bank_not_supported"] == view["codes"]
        assert told.more["blockers"] == view["blockers"]
        assert ("*" * 15 + NEW_NUMBER[-4:], "", "active") == tuple(
            view["wanted"][k] for k in ("number", "bank", "role")
        )
    rows = [row for row in host.memory.all_rows(RecordRow) if row.kind == ABOUT]
    assert 1 == len(rows)
    assert not [secret for secret in SECRETS if secret in rows[0].body]
    (audit,) = (row for row in host.memory.all_rows(AuditRow) if row.action == "account_change.apply")
    assert ("refused", str(told)) == (audit.result, audit.reason)


async def test_a_number_in_the_place_of_the_bank_is_not_kept(host: HostInProcess) -> None:
    await refused(host, AccountApplication(account(bank=NEW_NUMBER), ()))

    rows = [row for row in host.memory.all_rows(RecordRow) if row.kind == ABOUT]
    assert [False] == [NEW_NUMBER in row.body for row in rows]


async def test_the_same_application_refused_again_is_kept_once(host: HostInProcess) -> None:
    numbers = [
        (await refused(host, asked)).more["refused_application"]
        for asked in (
            AccountApplication(account(), ()),
            AccountApplication(account(), ()),
            AccountApplication(account(THIRD_NUMBER), ()),
            AccountApplication(account(), await papers(host, ("proof_of_account",))),
            AccountApplication(account(), ()),
        )
    ]

    assert ["1", "1", "2", "3", "1"] == numbers
    assert 3 == len(host.parts.details.complaints.refused_applications(MERCHANT))


async def test_nonsense_and_what_somebody_may_not_do_are_not_kept(host: HostInProcess) -> None:
    changes = host.parts.details.account_changes
    with pytest.raises(Refused):
        await changes.apply(OPERATOR, MERCHANT, AccountApplication(account("12-!?"), ()))
    with pytest.raises(Forbidden):
        await changes.apply(Actor("guest", "viewer"), MERCHANT, AccountApplication(account(), ()))

    assert [] == host.parts.details.complaints.refused_applications(MERCHANT)


async def test_a_complaint_about_it_is_followed_to_an_answer_that_approves_nothing(host: HostInProcess) -> None:
    details = host.parts.details
    number = (await refused(host, AccountApplication(account(), ()))).more["refused_application"]
    opened = await details.complaints.open(OPERATOR, MERCHANT, ABOUT, number, "the papers lie at the branch")
    assert (ABOUT, number, "opened") == (opened["about"], opened["change_id"], opened["state"])
    with pytest.raises(Refused) as twice:
        await details.complaints.open(OPERATOR, MERCHANT, ABOUT, number, "once more")
    assert "complaint_open" == twice.value.kind

    said = "hand in copies and apply again"
    answered = await details.complaints.answer(REVIEWER, MERCHANT, opened["complaint_id"], "uphold", said)
    assert ("upheld", said, "wang.wei") == (answered["state"], answered["answer"], answered["answered_by"])
    assert [] == details.account_changes.of_merchant(MERCHANT)
    assert "submitted" == (await details.account_changes.apply(OPERATOR, MERCHANT, await application(host)))["state"]
    with pytest.raises(NotNow):
        await details.complaints.answer(REVIEWER, MERCHANT, opened["complaint_id"], "dismiss", "no")


async def test_neither_who_applied_nor_for_whom_answers_it(host: HostInProcess) -> None:
    complaints = host.parts.details.complaints
    asked = AccountApplication(account(), (), applicant="Wang.Wei")
    number = (await refused(host, asked)).more["refused_application"]
    opened = await complaints.open(ADMIN, MERCHANT, ABOUT, number, "it is to be looked at")
    for actor in (REVIEWER, ADMIN, Actor("LI.NA", "reviewer")):
        with pytest.raises(Forbidden):
            await complaints.answer(actor, MERCHANT, opened["complaint_id"], "dismiss", "no")


async def test_a_change_of_the_holder_that_was_blocked_is_kept_too(host: HostInProcess) -> None:
    details = host.parts.details
    asked = (await holder_application(host))._replace(documents=())
    with pytest.raises(Refused) as told:
        await details.holder_changes.apply(OPERATOR, MERCHANT, asked)
    assert "blocked" == told.value.kind

    (view,) = details.complaints.refused_applications(MERCHANT)
    assert ("holder_change", ["document_missing"]) == (view["about"], view["codes"])
    assert {"holder": "Li Si", "reason": "replaced", "effective_on": "2026-03-10"} == view["wanted"]
    opened = await details.complaints.open(OPERATOR, MERCHANT, ABOUT, view["refused_application"], "they were sent")
    dismissed = await details.complaints.answer(REVIEWER, MERCHANT, opened["complaint_id"], "dismiss", "not here")
    assert "dismissed" == dismissed["state"]
    with pytest.raises(Refused) as nonsense:
        await details.holder_changes.apply(OPERATOR, MERCHANT, asked._replace(holder=GivenHolder("", "x")))
    assert 422 == nonsense.value.status


async def test_an_approved_change_is_nothing_to_complain_of(host: HostInProcess) -> None:
    number = await approved(host)
    with pytest.raises(Refused) as told:
        await host.parts.details.complaints.open(OPERATOR, MERCHANT, ABOUT, number, "too slow")

    assert 404 == told.value.status
