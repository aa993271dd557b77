"""Exchanges that are looked through for somebody outside: terminals do not wait for it."""

from __future__ import annotations

import asyncio

from tests.unit.host.admin.small_office import api_of, open_office
from tests.unit.host.test_expectations import receive

from pos_host.admin.exchange_pages import fitting
from pos_host.exchanges import Exchanges
from pos_host.expectations.expectation import expected_of
from pos_host.expectations.wanted import wanted_of

MANY = 50


class Turns:
    """Counts the turns of the loop from entering to leaving the context."""

    async def __aenter__(self) -> Turns:
        self.count = 0
        self._counting = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._counting.cancel()

    async def _run(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)


async def test_the_loop_has_its_turn_between_the_exchanges_that_are_compared() -> None:
    exchanges = Exchanges()
    for number in range(MANY):
        receive(exchanges, function="purchase" if number % 2 else "refund")
    async with Turns() as turns:
        found = await fitting(list(exchanges.kept), wanted_of({"function": "purchase"}))
    assert list(range(2, MANY + 1, 2)) == [exchange.number for exchange in found]
    assert MANY <= turns.count


async def test_the_loop_has_its_turn_between_the_expectations_that_are_shown() -> None:
    office = await open_office()
    for _ in range(MANY):
        office.parts.expectations.add(*expected_of({}))
    async with api_of(office) as api, Turns() as turns:
        before = turns.count
        answer = await api.get("/api/v1/expectations?limit=1")
        few = turns.count - before
        await api.get("/api/v1/expectations")
        many = turns.count - before - few
    assert 1 == len(answer.json()["items"])
    assert MANY - 1 <= many - few
