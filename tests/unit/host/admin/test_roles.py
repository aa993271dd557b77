"""Every operation under every role: who may do what, who sees what, and what is written down of a refusal."""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any

import httpx
import pytest
from tests.unit.host.admin.asking import Ask, all_asks
from tests.unit.host.admin.small_office import MERCHANT, OTHER_MERCHANT, SHARED_ID, client_of, open_office

from pos_host.admin.api import make_app
from pos_host.ledger.merchant_rows import AuditRow
from pos_host.merchants.accounts.refused_applications import REFUSED_APPLICATION
from pos_host.merchants.actors import ADMIN
from pos_host.merchants.users import TOKEN_USE
from pos_host.merchants.versions import Scope
from pos_host.office import Office
from pos_host.storage.memory import MemoryJournal

ROLES = ("merchant", "viewer", "operator", "reviewer", "admin")
NEEDED = tomllib.loads((resources.files("pos_host.merchants") / "rights.toml").read_text("utf-8"))["rights"]
QUESTIONS = {"/api/v1/merchants/{mid}/settlement-account-changes/check"}
"""Paths that are asked with POST, since a body says what, and that change nothing."""

PAPERS = "/api/v1/merchants/{mid}/documents/{document_id}"
"""What somebody handed in is for those who review it."""

CALLS_OF_A_WALK = 150


_asks: list[Ask] = []
"""The same for every host: FastAPI takes a second to write down what can be asked."""


class People:
    """An office, its API, and the token of one user of each role; the merchant's user is MERCHANT's."""

    def __init__(self, office: Office, app: Any, tokens: dict[str, str]) -> None:
        self.office = office
        self.app = app
        self.tokens = tokens
        if not _asks:
            _asks.extend(all_asks(app.openapi()))
        self.asks = _asks

    @property
    def journal(self) -> MemoryJournal:
        journal = self.office.parts.journal
        assert isinstance(journal, MemoryJournal)
        return journal

    @asynccontextmanager
    async def client(self, role: str) -> AsyncIterator[httpx.AsyncClient]:
        async with client_of(self.app, token=self.tokens[role]) as client:
            yield client

    async def ask(self, role: str, ask: Ask) -> httpx.Response:
        async with self.client(role) as client:
            return await client.request(ask.method, ask.path, params=ask.query, json=ask.body)

    def trail(self) -> list[AuditRow]:
        return self.journal.all_rows(AuditRow)

    def content(self, but: str = "") -> dict[Any, Any]:
        """Every row of the store but those of the audit trail, when tokens were used, and records of the kind `but`."""
        tables = {table: rows for table, rows in self.journal.rows.items() if table is not AuditRow}
        left = (but, TOKEN_USE)
        return {
            t: {k: r for k, r in rows.items() if getattr(r, "kind", None) not in left} for t, rows in tables.items()
        }


@pytest.fixture
async def people() -> People:
    office = await open_office()
    users = office.parts.users
    tokens = {}
    for role in ROLES:
        merchant_id = MERCHANT if role == "merchant" else ""
        tokens[role] = (await users.create(ADMIN, f"{role}-1", role, merchant_id))["token"]
    return People(office, make_app(office, users.actor_of, "0.1.0"), tokens)


async def test_whoever_may_look_sees_every_list_and_page(people: People) -> None:
    for ask in people.asks:
        for role in ROLES[1:] if ask.method == "GET" and ask.template != PAPERS else ():
            answer = await people.ask(role, ask)
            assert answer.status_code in (200, 404), f"{role} {ask.method} {ask.template}: {answer.text}"


async def test_a_viewer_changes_nothing(people: People) -> None:
    for ask in people.asks:
        before = people.content()
        answer = await people.ask("viewer", ask)
        rows = people.trail()
        if ask.method == "GET" or ask.template in QUESTIONS:
            assert before == people.content(), ask.template
        elif answer.status_code < 300:
            assert "viewer" == NEEDED[rows[-1].action], ask.template
        else:
            assert before == people.content(), ask.template


async def test_what_a_viewer_may_not_do_is_refused_as_such_or_not_there(people: People) -> None:
    for ask in people.asks:
        if ask.method != "GET" and ask.template not in QUESTIONS and "/right-requests" not in ask.template:
            answer = await people.ask("viewer", ask)
            assert answer.status_code in (403, 404), f"{ask.method} {ask.template}: {answer.text}"


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_merchant_sees_nothing_of_another(people: People, seed: int) -> None:
    """Its own ids, another's, and ids that two merchants share, in path and query."""
    chance = random.Random(seed)
    for ask in people.asks:
        for mid in (None, MERCHANT, OTHER_MERCHANT):
            tried = varied(ask, chance, mid)
            answer = await people.ask("merchant", tried)
            if answer.status_code < 300:
                assert OTHER_MERCHANT not in answer.text, f"{tried.method} {tried.path} {tried.query}"


@pytest.mark.parametrize("path", ["/api/v1/terminals", "/api/v1/unsettled", "/api/v1/batches/300001"])
async def test_a_merchant_that_names_another_is_refused_and_it_is_written_down(people: People, path: str) -> None:
    ask = Ask("GET", path, path, {"merchant_id": OTHER_MERCHANT}, None)

    answer = await people.ask("merchant", ask)

    assert (403, "application/problem+json") == (answer.status_code, answer.headers["Content-Type"])
    row = people.trail()[-1]
    assert ("merchant-1", "api.read", "refused") == (row.actor, row.action, row.result)


async def test_a_merchant_that_names_nobody_asks_for_its_own(people: People) -> None:
    async with people.client("merchant") as client:
        terminals = (await client.get("/api/v1/terminals")).json()["items"]
        shared = (await client.get(f"/api/v1/terminals/{SHARED_ID}")).json()
        others = await client.get("/api/v1/batches/300001")

    assert {MERCHANT} == {terminal["merchant_id"] for terminal in terminals}
    assert MERCHANT == shared["merchant_id"]
    assert 404 == others.status_code


async def test_a_merchant_sees_its_own_events_without_the_acquirers_people(people: People) -> None:
    policies = people.office.parts.terms.policies
    await policies.put(ADMIN, Scope(MERCHANT), {"cutoff": "22:00"}, why="closes early")
    await policies.put(ADMIN, Scope(OTHER_MERCHANT), {"cutoff": "21:07"})
    await people.office.settle("T0000001", MERCHANT)
    async with people.client("merchant") as client:
        whole = (await client.get("/api/v1/events")).json()
        seen, cursor = [], "0"
        while cursor is not None:
            page = (await client.get("/api/v1/events", params={"limit": 1, "cursor": cursor})).json()
            seen += page["items"]
            cursor = page["next_cursor"]

    types = {event["type"] for event in seen}
    assert {"transaction.approved", "policy.changed", "terminal.settled_by_host"} <= types
    assert (seen, None) == (whole["items"], whole["next_cursor"])
    assert {MERCHANT} == {event["subject"].partition("/")[0] for event in seen}
    told = json.dumps(seen)
    assert [] == [hidden for hidden in ("admin", "audit_no", "user.", "21:07") if hidden in told]


async def test_every_forbidden_attempt_is_in_the_audit_trail(people: People) -> None:
    for ask in people.asks:
        for role in ROLES[:-1]:
            before = len(people.trail())
            answer = await people.ask(role, ask)
            if answer.status_code == 403:
                row = people.trail()[-1]
                assert (before + 1, "refused") == (row.audit_no, row.result), f"{role} {ask.method} {ask.template}"
                assert f"{role}-1" == row.actor


@pytest.mark.parametrize("seed", range(3))
async def test_on_random_walks_nobody_does_what_the_role_forbids(people: People, seed: int) -> None:
    chance = random.Random(seed)
    asks = [ask for ask in people.asks if "/right-requests" not in ask.template]  # what is granted is no role's
    for _ in range(CALLS_OF_A_WALK):
        role = chance.choice(ROLES)
        ask = varied(chance.choice(asks), chance, chance.choice((None, MERCHANT, OTHER_MERCHANT)))
        seen, before = len(people.trail()), people.content(but=REFUSED_APPLICATION)  # kept with its refusal
        answer = await people.ask(role, ask)
        done = [row for row in people.trail()[seen:] if row.result == "done"]
        for row in done:
            assert is_allowed(row), f"{row.role} did {row.action}"
            assert row.role != "merchant" or row.merchant_id == MERCHANT
        if not done:
            after = people.content(but=REFUSED_APPLICATION)
            assert before == after, f"{role} {ask.method} {ask.path}: {answer.status_code}, and it changed"
        assert answer.status_code < 500, answer.text


def is_allowed(row: AuditRow) -> bool:
    """The order of the roles and the table, read again: a viewer only where the table names it."""
    order = (*ROLES, "host")
    needed = NEEDED[row.action]
    if row.role == "viewer":
        return bool(needed == "viewer")
    return order.index(row.role) >= order.index(needed)


def varied(ask: Ask, chance: random.Random, merchant_id: str | None) -> Ask:
    """The same operation about other things: numbers up to three, terminals and batches of both merchants."""
    path = ask.template
    names = {"mid": [merchant_id or MERCHANT], "tid": ["T0000001", SHARED_ID, "A%2FB%20%231"]}
    names |= {"batch_id": ["100006", "300001"], "scope": ["acquirer", "merchant", "terminal"]}
    names |= {"name": [f"{role}-1" for role in ROLES], "way": ["grant", "refuse", "withdraw"]}
    for name in [piece.partition("}")[0] for piece in path.split("{")[1:]]:
        path = path.replace("{" + name + "}", chance.choice(names.get(name, ["1", "2", "3"])))
    query = dict(ask.query)
    if merchant_id is not None:
        query["merchant_id"] = merchant_id
    if "{scope}" in ask.template and chance.random() < 0.5:
        query["terminal_id"] = SHARED_ID
    return ask._replace(path=path, query=query)
