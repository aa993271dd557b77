"""A part of what was asked for: the answer says how much, and nothing else counts from then on."""

from __future__ import annotations

import pytest
from tests.unit.host.handlers.test_authorisations import counted, outcome, sales, state
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import Exchange, UnionPayTerminal

from pos_host.event_log import event_type
from pos_specs.test_cards import find_test_card
from pos_specs.totals import Side

ASKED, HAS = 900_00, 50_00


def pan(name: str) -> str:
    card = find_test_card(name)
    assert card is not None
    return card.pan


@pytest.fixture
def takes_a_part(unionpay: UnionPayTerminal) -> dict[str, str]:
    """60.6 = 1 of a purchase."""
    return {"f60": f"22{unionpay.batch}000501"}


@pytest.fixture
async def sale(unionpay: UnionPayTerminal, takes_a_part: dict[str, str]) -> Exchange:
    return await unionpay.purchase(ASKED, pan("unionpay-partial"), **takes_a_part)


async def test_the_answer_says_what_was_approved(
    unionpay: UnionPayTerminal, sale: Exchange, host: HostInProcess
) -> None:
    assert ("10", f"{HAS:012d}") == (sale.code, sale.answer.fields[4])
    assert sale.answer.fields[38].strip()
    assert {"domestic_debit": Side(1, HAS)} == counted(unionpay, host)
    assert "transaction.approved" == event_type(host.memory.entries[-1].entry)


async def test_the_same_request_gets_the_same_part_again(unionpay: UnionPayTerminal, sale: Exchange) -> None:
    assert sale.answer == (await unionpay.again(sale)).answer


async def test_the_amount_of_the_part_under_the_same_stan_is_another_request(
    unionpay: UnionPayTerminal, sale: Exchange
) -> None:
    assert "94" == (await unionpay.again(sale, changes={4: f"{HAS:012d}"})).code


async def test_a_part_is_voided_and_refunded_by_its_own_amount(unionpay: UnionPayTerminal, sale: Exchange) -> None:
    assert "64" == (await unionpay.refund(sale, HAS + 1)).code
    assert "64" == (await unionpay.void(sale)).code
    assert "00" == (await unionpay.void(sale, f4=f"{HAS:012d}")).code


async def test_a_terminal_that_takes_no_part_is_declined(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    declined = await unionpay.purchase(ASKED, pan("unionpay-partial"))

    assert ("51", "insufficient_funds") == (declined.code, outcome(host))
    assert {} == counted(unionpay, host)


async def test_a_part_of_an_authorisation_is_what_can_be_completed(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    auth = await unionpay.auth(ASKED, pan("unionpay-partial"), f60=f"10{unionpay.batch}000501")

    assert ("10", f"{HAS:012d}") == (auth.code, auth.answer.fields[4])
    assert ("open", HAS, 0) == state(unionpay, host)
    assert "64" == (await unionpay.complete(auth, ASKED)).code
    assert "00" == (await unionpay.complete(auth, HAS)).code
    assert sales(unionpay, 1, HAS) == counted(unionpay, host)


async def test_what_the_issuer_refuses_is_refused(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    lost = pan("unionpay-lost-card")

    assert ("41", "lost_card") == ((await unionpay.purchase(1_00, lost)).code, outcome(host))
    assert ("41", "lost_card") == ((await unionpay.auth(1_00, lost)).code, outcome(host))
    assert "00" == (await unionpay.offline_purchase(1_00, lost)).code
