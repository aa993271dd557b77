"""The host's books through its admin API."""

import pytest
from tests.unit.terminal.fake_api import TOKEN, a_batch, api
from tests.unit.terminal.scripted_host import MERCHANT

from pos_specs.totals import Side
from pos_terminal.host_books import ApiFailed, HostBooks


async def test_the_current_batch_of_a_terminal_is_read() -> None:
    with api({"/terminals/T0000001": {"batch": a_batch("000004", debit=(2, 300))}}) as base:
        batch = await HostBooks(base, TOKEN).current_batch(MERCHANT, "T0000001")

    assert batch is not None
    assert ("000004", Side(2, 300), True) == (batch.number, batch.debit, batch.has_money)


async def test_a_terminal_the_host_does_not_know_has_no_batch() -> None:
    with api({}) as base:
        books = HostBooks(base, TOKEN)

        assert await books.current_batch(MERCHANT, "T0000001") is None
        assert [] == await books.batches(MERCHANT, "T0000001")


@pytest.mark.parametrize("answer", ["no JSON", '{"batch":{"number":"000001"}}', '{"batch":3}'])
async def test_an_answer_without_sense_is_an_error(answer: str) -> None:
    with api({"/terminals/T0000001": answer}) as base, pytest.raises(ApiFailed):
        await HostBooks(base, TOKEN).current_batch(MERCHANT, "T0000001")


async def test_a_wrong_token_is_an_error_that_does_not_show_it() -> None:
    with api({"/terminals/T0000001": {}}) as base, pytest.raises(ApiFailed, match="401") as refused:
        await HostBooks(base, "wrong-token").current_batch(MERCHANT, "T0000001")

    assert "wrong-token" not in str(refused.value)


async def test_an_api_that_is_not_there_is_an_error() -> None:
    with api({}) as base:
        pass
    with pytest.raises(ApiFailed):
        await HostBooks(base, TOKEN).batches(MERCHANT, "T0000001")
