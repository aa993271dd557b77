"""Settlement accounts and holders over HTTP: what is asked and answered, and what nobody ever sees."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs
from tests.unit.host.admin.small_office import client_of
from tests.unit.host.merchants.settlement_people import (
    ACCOUNT_PAPERS,
    ADMIN,
    HOLDER,
    HOLDER_PAPERS,
    IDENTITY,
    MERCHANT,
    NEW_NUMBER,
    OLD_NUMBER,
    OPERATOR,
    OTHER_IDENTITY,
    OTHER_REVIEWER,
    REVIEWER,
    SECRETS,
    THIRD_NUMBER,
    VIEWER,
    enrolled,
    pass_time,
    settled,
    until_idle,
)
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import OTHER_MERCHANT, UnionPayTerminal

from pos_host.admin.api import make_app
from pos_host.merchants.actors import Actor
from pos_host.storage.sqlite import SqliteJournal

THE_MERCHANT, ANOTHER = Actor("shop", "merchant", MERCHANT), Actor("other", "merchant", OTHER_MERCHANT)
PEOPLE = {actor.name: actor for actor in (VIEWER, OPERATOR, REVIEWER, OTHER_REVIEWER, ADMIN, THE_MERCHANT, ANOTHER)}
"""By their token, which is their name."""

DAY_MS = 86_400_000
ONE = f"/api/v1/merchants/{MERCHANT}"
CHANGES, HOLDER_CHANGES = f"{ONE}/settlement-account-changes", f"{ONE}/settlement-holder-changes"


class People:
    """Everybody's client of one host's API; what they were answered is kept."""

    def __init__(self, host: HostInProcess, clients: dict[str, httpx.AsyncClient]) -> None:
        self.host = host
        self.answers: list[str] = []
        self._clients = clients

    async def ask(self, actor: Actor, method: str, path: str, body: Any = None) -> httpx.Response:
        answer = await self._clients[actor.name].request(method, path, json=body)
        self.answers.append(answer.text)
        return answer

    async def done(self, actor: Actor, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = await self.ask(actor, method, path, body)
        assert 200 == answer.status_code, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def hand_in(self, kinds: tuple[str, ...]) -> list[str]:
        """Papers of these kinds; their hashes."""
        hashes = []
        for kind in kinds:
            content = base64.b64encode(f"{kind}: {NEW_NUMBER} {IDENTITY}".encode()).decode()
            given = {"kind": kind, "name": f"{kind} {NEW_NUMBER}.pdf", "content_base64": content}
            hashes.append((await self.done(OPERATOR, "POST", f"{ONE}/documents", given))["document_id"])
        return hashes


@lru_cache(1)
def the_app() -> FastAPI:
    """Made once, as making it takes longer than a test does; each test puts its own office into it."""
    return make_app(HostInProcess().office, PEOPLE.get, "0.1.0")


async def people_of(host: HostInProcess, stack: AsyncExitStack) -> People:
    app = the_app()
    app.state.office = host.office
    clients = {name: await stack.enter_async_context(client_of(app, token=name)) for name in PEOPLE}
    return People(host, clients)


@pytest.fixture
async def people() -> AsyncIterator[People]:
    async with AsyncExitStack() as stack:
        host = HostInProcess()
        await enrolled(host)
        await UnionPayTerminal(host, "T0000009", OTHER_MERCHANT).sign_in()
        yield await people_of(host, stack)


def account(number: str) -> dict[str, str]:
    return {
        "number": number,
        "bank": "102",
        "account_type": "personal",
        "holder": HOLDER,
        "holder_identity": IDENTITY,
    }


async def test_a_change_of_the_account_over_http(people: People) -> None:
    host = people.host
    first = await people.done(ADMIN, "POST", f"{ONE}/settlement-accounts", account(OLD_NUMBER))
    assert "*" * 15 + OLD_NUMBER[-4:] == first["number"]
    papers = await people.hand_in(ACCOUNT_PAPERS)
    asked = {"account": account(NEW_NUMBER), "documents": papers}
    assert [] == (await people.done(OPERATOR, "GET", f"{CHANGES}/blockers"))["items"]
    assert [] == (await people.done(OPERATOR, "POST", f"{CHANGES}/check", asked))["items"]
    applied = await people.done(OPERATOR, "POST", CHANGES, asked)
    path = f"{CHANGES}/{applied['change_id']}"
    assert 403 == (await people.ask(OPERATOR, "POST", f"{path}/approve")).status_code
    await people.done(REVIEWER, "POST", f"{path}/approve", {"why": "in order"})
    await people.done(OPERATOR, "POST", f"{path}/activate")
    early = await people.ask(OPERATOR, "POST", f"{path}/complete")
    assert (409, ["roll_back"]) == (early.status_code, [w for w in early.json()["possible"] if w == "roll_back"])

    terminal = await enrolled(host)
    await until_idle(host)
    for _ in range(2):
        await terminal.purchase(1000)
    await settled(host)
    await pass_time(host, 5 * DAY_MS)
    completed = await people.done(OPERATOR, "POST", f"{path}/complete")

    assert "completed" == completed["state"]
    accounts = await people.done(VIEWER, "GET", f"{ONE}/settlement-accounts")
    assert ["former", "active"] == [shown["state"] for shown in accounts["items"]]
    assert [completed["change_id"]] == [c["change_id"] for c in (await people.done(VIEWER, "GET", CHANGES))["items"]]


async def test_an_application_that_is_blocked_tells_every_reason_in_its_problem(people: People) -> None:
    await people.done(ADMIN, "POST", f"{ONE}/settlement-accounts", account(OLD_NUMBER))
    answer = await people.ask(OPERATOR, "POST", CHANGES, {"account": {**account(NEW_NUMBER), "bank": "999"}})

    assert (409, "urn:pos-host:problem:blocked") == (answer.status_code, answer.json()["type"])
    assert ["document_missing", "bank_not_supported"] == [b["code"] for b in answer.json()["blockers"]]
    (kept,) = (await people.done(VIEWER, "GET", f"{ONE}/refused-applications"))["items"]
    assert answer.json()["refused_application"] == kept["refused_application"]
    complaint = {"about": "refused_application", "change_id": kept["refused_application"], "text": "it is known"}
    assert "opened" == (await people.done(OPERATOR, "POST", f"{ONE}/complaints", complaint))["state"]


async def test_a_holder_changes_over_http(people: People) -> None:
    await people.done(ADMIN, "POST", f"{ONE}/settlement-holders", {"name": HOLDER, "identity": IDENTITY})
    papers = await people.hand_in(HOLDER_PAPERS)
    asked = {
        "holder": {"name": "Li Si", "identity": OTHER_IDENTITY, "user": "li.si"},
        "reason": "left",
        "effective_on": "2026-03-10",
        "documents": papers,
    }
    assert ["document_missing"] == [
        b["code"] for b in (await people.done(OPERATOR, "GET", f"{HOLDER_CHANGES}/blockers"))["items"]
    ]
    applied = await people.done(OPERATOR, "POST", HOLDER_CHANGES, asked)
    path = f"{HOLDER_CHANGES}/{applied['change_id']}"
    await people.done(REVIEWER, "POST", f"{path}/approve")
    await people.done(OPERATOR, "POST", f"{path}/confirm-training")
    await pass_time(people.host, 8 * DAY_MS)
    told = await people.done(ADMIN, "POST", f"{path}/issue-token")
    assert Actor("li.si", "merchant", MERCHANT, (ADMIN.name,)) == people.host.parts.users.actor_of(told["token"])
    await pass_time(people.host, 15 * DAY_MS)
    archived = await people.done(OTHER_REVIEWER, "POST", f"{path}/evaluate", {"evaluation": "as before"})

    assert "archived" == archived["state"]
    holders = await people.done(VIEWER, "GET", f"{ONE}/settlement-holders")
    assert ["former", "active"] == [holder["state"] for holder in holders["items"]]


async def test_a_merchants_token_sees_its_own_and_decides_nothing(people: People) -> None:
    await people.done(ADMIN, "POST", f"{ONE}/settlement-accounts", account(OLD_NUMBER))

    things = ("settlement-accounts", "documents", "complaints", "refused-applications")
    for path in (CHANGES, HOLDER_CHANGES, *(f"{ONE}/{thing}" for thing in things)):
        assert 200 == (await people.ask(THE_MERCHANT, "GET", path)).status_code
        assert 403 == (await people.ask(ANOTHER, "GET", path)).status_code
    given = {"account": account(NEW_NUMBER), "documents": []}
    assert {403, 409} >= {(await people.ask(THE_MERCHANT, "POST", CHANGES, given)).status_code}
    assert (
        403 == (await people.ask(THE_MERCHANT, "POST", f"{ONE}/settlement-accounts/1/freeze", {"why": "x"})).status_code
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": "12 34"},
        {"account_type": "piggy_bank"},
        {"expires_on": "2026-02-30"},
        {"surprise": NEW_NUMBER},
        {"number": NEW_NUMBER * 10},
        {"bank": "999"},
        {"account_type": "credit_card"},
    ],
)
async def test_a_wrong_account_is_refused_and_not_repeated(people: People, wrong: dict[str, str]) -> None:
    answer = await people.ask(ADMIN, "POST", f"{ONE}/settlement-accounts", {**account(NEW_NUMBER), **wrong})

    assert 422 == answer.status_code
    assert NEW_NUMBER not in answer.text
    assert IDENTITY not in answer.text


async def test_numbers_of_accounts_and_people_are_seen_nowhere(tmp_path: Path) -> None:
    """Canaries: what goes in is in no answer, log line, event, audit row or byte of the store."""
    store = tmp_path / "store.db"
    with capture_logs() as logs:
        async with AsyncExitStack() as stack:
            host = HostInProcess(SqliteJournal(store))
            await enrolled(host)
            people = await people_of(host, stack)
            await put_canaries_everywhere(people)
            events = json.dumps((await host.office.events(0, 1000))["items"])
            audit = await people.done(ADMIN, "GET", "/api/v1/audit?limit=1000")
            await host.journal.close()
    seen = {
        "answers": "\n".join(people.answers),
        "logs": repr(logs),
        "events": events,
        "audit": json.dumps(audit),
        "store": bytes_of(tmp_path),
    }
    for secret in SECRETS:
        for where, text in seen.items():
            assert secret not in text, f"{secret} in {where}"
            assert base64.b64encode(secret.encode()).decode()[:16] not in text, f"{secret} in {where}"
            assert secret.encode().hex() not in text, f"{secret} in {where}"
    assert OLD_NUMBER[-4:] in seen["answers"]


def bytes_of(folder: Path) -> str:
    """Every byte of every file, one character each."""
    return "".join(path.read_bytes().decode("latin-1") for path in folder.iterdir())


async def put_canaries_everywhere(people: People) -> None:
    """Every body that takes a number gets one, and so does every free text."""
    grouped = " ".join(NEW_NUMBER[place : place + 4] for place in range(0, len(NEW_NUMBER), 4))
    await people.done(ADMIN, "POST", f"{ONE}/settlement-accounts", account(OLD_NUMBER))
    await people.done(ADMIN, "POST", f"{ONE}/settlement-holders", {"name": HOLDER, "identity": IDENTITY})
    await people.ask(ADMIN, "POST", f"{ONE}/settlement-accounts", account(NEW_NUMBER))
    papers = await people.hand_in(ACCOUNT_PAPERS)
    asked = {"account": account(grouped), "documents": papers, "reason": f"to {grouped} of {IDENTITY}"}
    await people.ask(VIEWER, "POST", CHANGES, asked)
    await people.ask(OPERATOR, "POST", CHANGES, {**asked, "documents": [], "applicant": IDENTITY})
    change = f"{CHANGES}/{(await people.done(OPERATOR, 'POST', CHANGES, asked))['change_id']}"
    await people.done(REVIEWER, "POST", f"{change}/reject", {"reasons": [f"{NEW_NUMBER} is not {IDENTITY}'s"]})
    complaint = {"about": "account_change", "change_id": "1", "text": f"{NEW_NUMBER} is mine, {IDENTITY}"}
    await people.done(OPERATOR, "POST", f"{ONE}/complaints", complaint)
    await people.done(OTHER_REVIEWER, "POST", f"{ONE}/complaints/1/uphold", {"answer": f"{NEW_NUMBER} it is"})
    await people.done(REVIEWER, "POST", f"{change}/approve", {"why": f"{NEW_NUMBER} is {IDENTITY}'s"})
    await people.done(OPERATOR, "POST", f"{change}/activate")
    await people.done(REVIEWER, "POST", f"{change}/roll-back", {"why": f"not {NEW_NUMBER}"})
    await people.done(OPERATOR, "POST", f"{ONE}/settlement-account/report-loss", {"why": f"lost {OLD_NUMBER}"})
    third = {"account": account(THIRD_NUMBER), "documents": papers}
    await people.ask(OPERATOR, "POST", f"{CHANGES}/check", third)
    for path in (f"{CHANGES}/{THIRD_NUMBER}", f"{ONE}/documents/{THIRD_NUMBER}", f"{CHANGES}?cursor={THIRD_NUMBER}"):
        answer = await people.ask(OPERATOR, "GET", path)
        assert THIRD_NUMBER not in answer.text
    papers = await people.hand_in(HOLDER_PAPERS)
    given = {"name": "Li Si", "identity": OTHER_IDENTITY}
    holder = {"holder": given, "reason": "left", "effective_on": "2026-03-10", "documents": papers}
    await people.done(OPERATOR, "POST", HOLDER_CHANGES, holder)
    await people.ask(OPERATOR, "POST", f"{HOLDER_CHANGES}/1/withdraw", {"why": OTHER_IDENTITY})
    request = {"action": "account_change.approve", "lasting": "PT1H", "reason": f"for {OTHER_IDENTITY}"}
    await people.done(OPERATOR, "POST", f"{ONE}/right-requests", request)
    for path in (
        CHANGES,
        HOLDER_CHANGES,
        f"{ONE}/settlement-accounts",
        f"{ONE}/settlement-holders",
        f"{ONE}/documents",
        f"{ONE}/refused-applications",
    ):
        await people.done(VIEWER, "GET", path)


WALKS, STEPS = 12, 120


@pytest.mark.parametrize("seed", range(WALKS))
async def test_whoever_asks_for_whatever_no_applicant_ever_approves(seed: int) -> None:
    """Random calls by everybody, in any order, grants of rights and complaints among them."""
    chance = random.Random(seed)
    async with AsyncExitStack() as stack:
        host = HostInProcess()
        await enrolled(host)
        people = await people_of(host, stack)
        await people.done(ADMIN, "POST", f"{ONE}/settlement-accounts", account(OLD_NUMBER))
        papers = await people.hand_in((*ACCOUNT_PAPERS, *HOLDER_PAPERS[1:]))
        asked: dict[str, Any] = {
            "account": {"account": account(NEW_NUMBER), "documents": papers},
            "holder": {
                "holder": {"name": "Li Si", "identity": OTHER_IDENTITY},
                "reason": "left",
                "effective_on": "2026-03-10",
                "documents": papers,
            },
        }
        approvals = 0
        for _ in range(STEPS):
            actor = chance.choice(list(PEOPLE.values()))
            method, path, body = one_call(chance, asked)
            answer = await people.ask(actor, method, path, body)
            assert answer.status_code < 500, (path, answer.text)
            approvals += path.endswith("/approve") and answer.status_code == 200
        for service in (host.parts.details.account_changes, host.parts.details.holder_changes):
            for view in service.of_merchant(MERCHANT):
                deciders = {s["by"] for s in view["history"] if s["action"] in ("approve", "reject")}
                assert view["submitted_by"] not in deciders
                reconsidered = [s["by"] for s in view["history"] if s["action"] == "reconsider"]
                assert view["submitted_by"] not in reconsidered
        for request in host.parts.details.right_requests.of_merchant(MERCHANT):
            assert request["requested_by"] != request["decided_by"]
        walked.append(approvals)
    if len(walked) == WALKS:
        assert sum(walked) >= WALKS // 2, "the walks have hardly approved anything"


walked: list[int] = []
"""Approvals of each walk: walks in which nobody approves anything prove nothing."""


def one_call(chance: random.Random, asked: dict[str, Any]) -> tuple[str, str, Any]:
    number = str(chance.randint(1, 3))
    action = chance.choice(["account_change.approve", "holder_change.approve", "account_change.apply"])
    about = chance.choice(["account_change", "holder_change", "refused_application"])
    changes = chance.choice([CHANGES, HOLDER_CHANGES])
    way = chance.choice(["grant", "refuse", "revoke", "withdraw"])
    calls: list[tuple[str, Any]] = [
        (CHANGES, asked["account"]),
        (HOLDER_CHANGES, asked["holder"]),
        (f"{changes}/{number}/approve", None),
        (f"{changes}/{number}/approve", None),
        (f"{changes}/{number}/approve", None),
        (f"{changes}/{number}/reject", {"reasons": ["no"]}),
        (f"{changes}/{number}/withdraw", None),
        (f"{CHANGES}/{number}/activate", None),
        (f"{changes}/{number}/roll-back", {"why": "a mistake"}),
        (f"{ONE}/complaints", {"about": about, "change_id": number, "text": "not right"}),
        (f"{ONE}/complaints/{number}/uphold", {"answer": "so it is"}),
        (f"{ONE}/right-requests", {"action": action, "lasting": "PT4H", "reason": "ill"}),
        (f"{ONE}/right-requests/{number}/{way}", None),
    ]
    return ("POST", *chance.choice(calls))
