"""The paths of expectations: what a test expects of its terminal, and whether it came."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import Path

from pos_host.admin.api_router import api_router
from pos_host.admin.exchange_models import ExpectationAnswer, ExpectationDocument, Expectations, invalid
from pos_host.admin.pages import page_of
from pos_host.admin.queries import PAGE, Cursor, Limit, TheActor, TheOffice
from pos_host.expectations.expectation import Expectation, expected_of
from pos_host.expectations.views import expectation_view
from pos_host.expectations.wanted import WantedError
from pos_host.merchants.desk import Subject, Written
from pos_host.office import NotThere, Office

router = api_router("tests")

ExpectationId = Annotated[str, Path(min_length=1, max_length=20, description="the expectation's id", examples=["1"])]


@router.post("/expectations", response_model=ExpectationAnswer, response_model_exclude_unset=True)
async def expect(office: TheOffice, actor: TheActor, given: ExpectationDocument) -> Any:
    """Expect something of the terminals: of what came since the mark, and of what comes."""
    document = given.model_dump(exclude_unset=True, exclude={"within", "since"})
    now_s = asyncio.get_running_loop().time()

    def make(now_ms: int) -> Written:
        try:
            made = office.parts.expectations.add(*expected_of(document), given.since)
        except WantedError as error:
            raise invalid("body", error) from None
        made.until_s = now_s + given.within
        return Written(answer=expectation_view(made, now_s))

    return await office.desk.act(actor, "expectations.make", Subject("expectations"), make)


@router.get("/expectations", response_model=Expectations, response_model_exclude_unset=True)
async def expectations(office: TheOffice, cursor: Cursor, limit: Limit = PAGE) -> dict[str, Any]:
    """Every expectation since the last reset, as it stands."""
    page = page_of(office.parts.expectations.all(), limit, cursor)
    now_s = asyncio.get_running_loop().time()
    items = []
    for expectation in page["items"]:
        items.append(expectation_view(expectation, now_s))
        await asyncio.sleep(0)  # each shows a hundred exchanges and more: terminals have their turn between them
    return {**page, "items": items}


@router.get("/expectations/{id}", response_model=ExpectationAnswer, response_model_exclude_unset=True)
async def expectation(office: TheOffice, id: ExpectationId) -> dict[str, Any]:
    """What became of an expectation; answers once it is met, or cannot be, or its time is over."""
    found = _found(office, id)
    await _settled(office, found)
    return expectation_view(_found(office, id), asyncio.get_running_loop().time())


async def _settled(office: Office, expectation: Expectation) -> None:
    """Wait until nobody need wait for it, or the host was reset."""
    loop, expectations, wake = asyncio.get_running_loop(), office.parts.expectations, asyncio.Event()
    expectations.changed.append(wake.set)
    try:
        async with asyncio.timeout_at(expectation.until_s):
            while not expectation.is_settled(loop.time()) and expectations.find(expectation.id) is expectation:
                await wake.wait()
                wake.clear()
    except TimeoutError:
        pass
    finally:
        expectations.changed.remove(wake.set)


def _found(office: Office, id_: str) -> Expectation:
    found = office.parts.expectations.find(id_)
    if found is None:
        raise NotThere(f"there is no expectation {id_}; a reset forgets them")
    return found
