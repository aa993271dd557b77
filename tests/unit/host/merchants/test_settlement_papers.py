"""Papers, complaints, rights for a limited time, and which account gets what."""

from __future__ import annotations

import base64
import hashlib
from datetime import date

import pytest
from tests.unit.host.merchants.settlement_people import (
    ADMIN,
    NEW_NUMBER,
    OLD_NUMBER,
    OPERATOR,
    OTHER_REVIEWER,
    REVIEWER,
    VIEWER,
    application,
    applied,
    approved,
    enrolled,
    papers,
    pass_time,
    with_account,
)
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import MERCHANT, OTHER_MERCHANT, UnionPayTerminal

from pos_host.ledger.merchant_rows import AuditRow, DocumentRow
from pos_host.merchants.accounts.documents import DOCUMENT_MOST_BYTES
from pos_host.merchants.accounts.usage_rules import UsageRule
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Forbidden, Refused

PAGE = b"%PDF-1.7 a scanned licence"
PAGE_BASE64 = base64.b64encode(PAGE).decode()
PAGE_ID = hashlib.sha256(PAGE).hexdigest()
HOUR_MS = 3_600_000


@pytest.fixture
async def host() -> HostInProcess:
    made = HostInProcess()
    await with_account(made)
    return made


# -- papers


async def test_a_paper_is_kept_sealed_under_its_hash_and_opens_for_a_reviewer(host: HostInProcess) -> None:
    documents = host.parts.details.documents
    kept = await documents.keep(OPERATOR, MERCHANT, "contract", "contract.pdf", PAGE_BASE64)
    assert (PAGE_ID, "contract", len(PAGE)) == (kept["document_id"], kept["kind"], kept["size_bytes"])
    (row,) = host.memory.all_rows(DocumentRow)
    assert PAGE not in bytes.fromhex(row.sealed)

    assert PAGE == base64.b64decode((await documents.content(REVIEWER, MERCHANT, PAGE_ID))["content_base64"])
    with pytest.raises(Forbidden):
        await documents.content(OPERATOR, MERCHANT, PAGE_ID)
    read = [row for row in host.memory.all_rows(AuditRow) if row.action == "document.read"]
    assert [("wang.wei", "done"), ("li.na", "refused")] == [(row.actor, row.result) for row in read]


async def test_two_merchants_may_hand_in_the_same_paper(host: HostInProcess) -> None:
    await UnionPayTerminal(host, "T0000009", OTHER_MERCHANT).sign_in()
    documents = host.parts.details.documents
    for merchant_id in (MERCHANT, OTHER_MERCHANT):
        await documents.keep(OPERATOR, merchant_id, "contract", "contract.pdf", PAGE_BASE64)

    for merchant_id in (MERCHANT, OTHER_MERCHANT):
        assert PAGE_BASE64 == (await documents.content(REVIEWER, merchant_id, PAGE_ID))["content_base64"]


async def test_the_same_paper_again_changes_nothing_and_of_another_kind_is_refused(host: HostInProcess) -> None:
    documents = host.parts.details.documents
    first = await documents.keep(OPERATOR, MERCHANT, "contract", "contract.pdf", PAGE_BASE64)
    assert first == await documents.keep(OPERATOR, MERCHANT, "contract", "again.pdf", PAGE_BASE64)
    with pytest.raises(Refused) as refused:
        await documents.keep(OPERATOR, MERCHANT, "identity_document", "contract.pdf", PAGE_BASE64)

    assert "document_kind_differs" == refused.value.kind
    assert 1 == len(documents.of_merchant(MERCHANT))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("not base64!", "not_base64"),
        ("", "empty_document"),
        (base64.b64encode(b"x" * (DOCUMENT_MOST_BYTES + 1)).decode(), "document_too_large"),
    ],
)
async def test_what_is_no_paper_is_refused(host: HostInProcess, content: str, kind: str) -> None:
    with pytest.raises(Refused) as refused:
        await host.parts.details.documents.keep(OPERATOR, MERCHANT, "contract", "contract.pdf", content)
    assert (kind, 422) == (refused.value.kind, refused.value.status)


async def test_the_largest_paper_is_taken(host: HostInProcess) -> None:
    content = base64.b64encode(b"x" * DOCUMENT_MOST_BYTES).decode()
    kept = await host.parts.details.documents.keep(OPERATOR, MERCHANT, "contract", "contract.pdf", content)

    assert DOCUMENT_MOST_BYTES == kept["size_bytes"]


async def test_an_application_cannot_name_the_papers_of_another_merchant(host: HostInProcess) -> None:
    await UnionPayTerminal(host, "T0000009", OTHER_MERCHANT).sign_in()
    theirs = await host.parts.details.documents.keep(OPERATOR, OTHER_MERCHANT, "contract", "c.pdf", PAGE_BASE64)
    asked = (await application(host))._replace(documents=(theirs["document_id"],))

    with pytest.raises(Refused) as refused:
        await host.parts.details.account_changes.apply(OPERATOR, MERCHANT, asked)
    assert "no_such_document" == refused.value.kind


# -- complaints


async def rejected(host: HostInProcess) -> str:
    number = await applied(host)
    await host.parts.details.account_changes.reject(REVIEWER, MERCHANT, number, ["the licence is not to be read"])
    return number


async def test_a_complaint_that_is_upheld_puts_the_change_before_a_reviewer_again(host: HostInProcess) -> None:
    details = host.parts.details
    number = await rejected(host)
    complaint = await details.complaints.open(OPERATOR, MERCHANT, "account_change", number, "it is to be read")
    answered = await details.complaints.answer(
        OTHER_REVIEWER, MERCHANT, complaint["complaint_id"], "uphold", "so it is"
    )

    assert ("upheld", "so it is", "sun.yan") == (answered["state"], answered["answer"], answered["answered_by"])
    assert "submitted" == (await details.account_changes.show(MERCHANT, number))["state"]
    assert "approved" == (await details.account_changes.approve(OTHER_REVIEWER, MERCHANT, number))["state"]


async def test_a_complaint_is_answered_by_nobody_who_had_a_part_in_it(host: HostInProcess) -> None:
    complaints = host.parts.details.complaints
    number = await rejected(host)
    complaint = await complaints.open(OPERATOR, MERCHANT, "account_change", number, "it is to be read")
    for actor in (REVIEWER, Actor("Li.Na", "admin")):
        with pytest.raises(Forbidden):
            await complaints.answer(actor, MERCHANT, complaint["complaint_id"], "uphold", "so it is")
    dismissed = await complaints.answer(ADMIN, MERCHANT, complaint["complaint_id"], "dismiss", "it is not")

    assert "dismissed" == dismissed["state"]
    assert "rejected" == (await host.parts.details.account_changes.show(MERCHANT, number))["state"]


async def test_a_complaint_is_about_something_that_was_refused(host: HostInProcess) -> None:
    number = await applied(host)
    with pytest.raises(Refused) as refused:
        await host.parts.details.complaints.open(OPERATOR, MERCHANT, "account_change", number, "too slow")
    assert "not_refused" == refused.value.kind


# -- rights for a limited time


async def test_a_right_is_granted_by_somebody_else_for_a_limited_time(host: HostInProcess) -> None:
    details = host.parts.details
    asked = await application(host)
    with pytest.raises(Refused):
        await details.account_changes.apply(VIEWER, MERCHANT, asked)
    request = await details.right_requests.request(
        VIEWER, MERCHANT, "account_change.apply", "PT4H", "the operator is ill"
    )
    granted = await details.right_requests.decide(REVIEWER, MERCHANT, request["request_id"], "grant")
    assert "granted" == granted["state"]
    assert "submitted" == (await details.account_changes.apply(VIEWER, MERCHANT, asked))["state"]

    await pass_time(host, 4 * HOUR_MS)
    with pytest.raises(Forbidden):
        await details.account_changes.withdraw(VIEWER, MERCHANT, "1")
    assert not host.desk.allows(VIEWER, "account_change.apply", MERCHANT)
    assert "expired" == details.right_requests.of_merchant(MERCHANT)[0]["state"]


async def test_a_right_is_for_one_merchant_and_one_action(host: HostInProcess) -> None:
    rights = host.parts.details.right_requests
    await UnionPayTerminal(host, "T0000009", OTHER_MERCHANT).sign_in()
    request = await rights.request(VIEWER, MERCHANT, "account_change.apply", "PT4H", "the operator is ill")
    await rights.decide(REVIEWER, MERCHANT, request["request_id"], "grant")

    assert host.desk.allows(VIEWER, "account_change.apply", MERCHANT)
    assert not host.desk.allows(VIEWER, "account_change.apply", OTHER_MERCHANT)
    assert not host.desk.allows(VIEWER, "account_change.withdraw", MERCHANT)
    assert not host.desk.allows(Actor("somebody", "viewer"), "account_change.apply", MERCHANT)


async def test_nobody_grants_a_right_to_themselves_or_one_they_have_not(host: HostInProcess) -> None:
    rights = host.parts.details.right_requests
    request = await rights.request(OPERATOR, MERCHANT, "account_change.approve", "PT4H", "all reviewers are ill")
    for actor in (Actor("LI.NA", "admin"), Actor("zhou.min", "operator")):
        with pytest.raises(Forbidden):
            await rights.decide(actor, MERCHANT, request["request_id"], "grant")

    assert not host.desk.allows(OPERATOR, "account_change.approve", MERCHANT)


async def test_who_was_granted_the_right_to_approve_still_does_not_approve_their_own(host: HostInProcess) -> None:
    details = host.parts.details
    request = await details.right_requests.request(OPERATOR, MERCHANT, "account_change.approve", "PT4H", "they are ill")
    await details.right_requests.decide(REVIEWER, MERCHANT, request["request_id"], "grant")
    with pytest.raises(Forbidden):
        await details.account_changes.approve(OPERATOR, MERCHANT, await applied(host))


@pytest.mark.parametrize("action", ["user.create", "payout.make", "no.such_thing", NEW_NUMBER])
async def test_a_right_that_cannot_be_granted_cannot_be_asked_for(host: HostInProcess, action: str) -> None:
    with pytest.raises(Refused) as refused:
        await host.parts.details.right_requests.request(VIEWER, MERCHANT, action, "PT4H", "why not")
    assert "no_such_right" == refused.value.kind
    assert NEW_NUMBER not in str(refused.value)


# -- which account gets what


async def two_accounts(host: HostInProcess) -> None:
    number = await approved(host, role="standby")
    await host.parts.details.account_changes.activate(OPERATOR, MERCHANT, number)


def account_of(host: HostInProcess, product: str = "", day: str = "2026-03-02", amount_minor: int = 1000) -> str:
    accounts = host.parts.details.accounts
    return accounts.payout_account(MERCHANT, product, date.fromisoformat(day), amount_minor).account_id


async def test_rules_say_which_account_gets_what_from_their_day_on(host: HostInProcess) -> None:
    await two_accounts(host)
    rules = [UsageRule("2", product="qr"), UsageRule("2", weekday="tuesday"), UsageRule("2", min_minor=100_000)]
    await host.parts.details.usage_rules.set(REVIEWER, MERCHANT, "2026-03-09", rules)

    assert "1" == account_of(host, "qr", "2026-03-08")
    assert "2" == account_of(host, "qr", "2026-03-09")
    assert "1" == account_of(host, "credit", "2026-03-09")
    assert "2" == account_of(host, "credit", "2026-03-10")
    assert ("1", "2") == tuple(account_of(host, "credit", "2026-03-09", amount) for amount in (99_999, 100_000))


async def test_the_rules_before_are_there_to_go_back_to(host: HostInProcess) -> None:
    await two_accounts(host)
    rules = host.parts.details.usage_rules
    first = await rules.set(REVIEWER, MERCHANT, "2026-03-01", [UsageRule("2")])
    await rules.set(REVIEWER, MERCHANT, "2026-03-02", [])
    assert "1" == account_of(host)
    await rules.restore(REVIEWER, MERCHANT, first["version"], "2026-03-02")

    assert "2" == account_of(host)
    assert [None, None, "1"] == [version["restored_from"] for version in rules.of_merchant(MERCHANT)]


async def test_rules_that_name_nothing_of_the_merchant_are_refused(host: HostInProcess) -> None:
    await two_accounts(host)
    rules = host.parts.details.usage_rules
    for wrong in (
        UsageRule("99"),
        UsageRule("2", weekday="someday"),
        UsageRule("2", min_minor=5, max_minor=4),
        UsageRule("2", min_minor=-1),
    ):
        with pytest.raises(Refused) as refused:
            await rules.set(REVIEWER, MERCHANT, "2026-03-01", [wrong])
        assert ("invalid_rules", 422) == (refused.value.kind, refused.value.status)

    assert [] == rules.of_merchant(MERCHANT)


async def test_a_rule_is_good_for_its_own_merchant_only(host: HostInProcess) -> None:
    await two_accounts(host)
    await UnionPayTerminal(host, "T0000009", OTHER_MERCHANT).sign_in()
    with pytest.raises(Refused):
        await host.parts.details.usage_rules.set(REVIEWER, OTHER_MERCHANT, "2026-03-01", [UsageRule("2")])


async def test_accounts_papers_and_changes_are_there_after_a_restart(host: HostInProcess) -> None:
    await two_accounts(host)
    twin = host.twin()

    assert host.parts.details.accounts.of_merchant(MERCHANT) == twin.parts.details.accounts.of_merchant(MERCHANT)
    assert host.parts.details.account_changes.of_merchant(MERCHANT) == (
        twin.parts.details.account_changes.of_merchant(MERCHANT)
    )
    await enrolled(twin)
    assert OLD_NUMBER[-4:] == twin.parts.details.accounts.of_merchant(MERCHANT)[0]["number"].lstrip("*")
    (paper, *_) = await papers(twin)
    assert (await twin.parts.details.documents.content(REVIEWER, MERCHANT, paper))["content_base64"]
