"""The same request again gets the same answer, and nothing is posted for it."""

from __future__ import annotations

from tests.unit.host.handlers.conftest import Terminal
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import (
    OTHER_CARD,
    TRACK_TAIL,
    UNIONPAY_CARD,
    WRONG_CARD,
    HypercomTerminal,
    Iso87Terminal,
    UnionPayTerminal,
    debit_credit,
)

from pos_host.ledger.group_totals import has_money
from pos_specs.totals import Side


async def test_a_repeated_purchase_gets_the_first_answer_and_is_posted_once(
    terminal: Terminal, host: HostInProcess
) -> None:
    first = await terminal.purchase(12_34)
    entries = len(host.memory.entries)
    host.clock.move_to(host.clock.now_ms() + 90_000)

    again = await terminal.again(first)

    assert "00" == first.code
    assert first.answer == again.answer
    assert entries == len(host.memory.entries)


async def test_a_repeat_marked_as_one_is_answered_like_the_first(terminal: Terminal, host: HostInProcess) -> None:
    first = await terminal.purchase(12_34)
    entries = len(host.memory.entries)

    repeat = await terminal.again(first, "0201")

    assert ("0210", first.answer.fields) == (repeat.answer.mti, repeat.answer.fields)
    assert entries == len(host.memory.entries)


async def test_a_repeat_over_another_connection_gets_the_first_answer(terminal: Terminal, host: HostInProcess) -> None:
    first = await terminal.purchase(12_34)
    terminal.line.hang_up()
    terminal.line = host.connect(terminal.dialect)

    assert first.answer == (await terminal.again(first)).answer


async def test_a_declined_purchase_is_declined_again_with_the_same_answer(
    terminal: Terminal, host: HostInProcess
) -> None:
    first = await terminal.purchase(12_34, WRONG_CARD)
    entries = len(host.memory.entries)

    assert "14" == first.code
    assert first.answer == (await terminal.again(first)).answer
    assert entries == len(host.memory.entries)


async def test_the_same_stan_with_another_amount_is_a_duplicate_that_differs(terminal: Terminal) -> None:
    first = await terminal.purchase(12_34)

    assert "94" == (await terminal.again(first, changes={4: "000000001235"})).code


async def test_the_same_stan_with_another_card_is_a_duplicate_that_differs(terminal: Terminal) -> None:
    first = await terminal.purchase(12_34)

    assert "94" == (await terminal.again(first, changes={2: OTHER_CARD})).code


async def test_the_same_stan_for_another_function_is_a_duplicate_that_differs(hypercom: HypercomTerminal) -> None:
    first = await hypercom.purchase(12_34)

    assert "94" == (await hypercom.again(first, changes={3: "200000"})).code


async def test_after_a_duplicate_that_differs_the_first_answer_still_stands(terminal: Terminal) -> None:
    first = await terminal.purchase(12_34)
    await terminal.again(first, changes={4: "000000001235"})

    assert first.answer == (await terminal.again(first)).answer


async def test_a_repeat_may_bring_another_pin_and_other_chip_data(unionpay: UnionPayTerminal) -> None:
    first = await unionpay.purchase(12_34, f22="051", f26="12", f52="11" * 8, f55="9F2608" + "22" * 8)

    again = await unionpay.again(first, changes={52: "33" * 8, 55: "9F2608" + "44" * 8})

    assert first.answer == again.answer


async def test_a_repeat_that_names_its_card_by_track_two_is_the_same_request(terminal: Terminal) -> None:
    first = await terminal.purchase(12_34)
    separator = "=" if terminal.dialect == "iso87-ascii" else "D"

    again = await terminal.again(first, changes={2: None, 35: f"{UNIONPAY_CARD}{separator}{TRACK_TAIL}"})

    assert "00" == again.code
    assert first.rrn == again.rrn


async def test_a_repeated_void_gets_the_first_answer(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(12_34)
    void = await terminal.void(sale)
    entries = len(host.memory.entries)

    assert "00" == void.code
    assert void.answer == (await terminal.again(void)).answer
    assert entries == len(host.memory.entries)


async def test_a_repeated_void_that_says_the_amount_in_de60_gets_the_first_answer(hypercom: HypercomTerminal) -> None:
    sale = await hypercom.purchase(12_34)
    void = await hypercom.void(sale, f4="0" * 12, f60=f"{12_34:012d}")

    assert "00" == void.code
    assert void.answer == (await hypercom.again(void)).answer


async def test_a_repeated_refund_gives_the_money_back_once(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(12_34)
    refund = await terminal.refund(sale, 10_00)
    entries = len(host.memory.entries)

    assert "00" == refund.code
    assert refund.answer == (await terminal.again(refund)).answer
    assert entries == len(host.memory.entries)
    assert "00" == (await terminal.refund(sale, 2_34)).code


async def test_a_repeated_reversal_gets_the_first_answer_and_reverses_once(
    terminal: Terminal, host: HostInProcess
) -> None:
    sale = await terminal.purchase(12_34)
    reversal = await terminal.reverse(sale.request)
    entries = len(host.memory.entries)

    assert "00" == reversal.code
    assert reversal.answer == (await terminal.again(reversal)).answer
    assert reversal.answer == (await terminal.again(reversal, "0401")).answer
    assert entries == len(host.memory.entries)


async def test_a_copy_of_a_sale_that_was_reversed_since_gets_the_sales_answer_and_sells_nothing(
    terminal: Terminal, host: HostInProcess
) -> None:
    sale = await terminal.purchase(12_34)
    await terminal.reverse(sale.request)
    entries = len(host.memory.entries)

    copy = await terminal.again(sale)

    assert ("00", sale.answer) == (copy.code, copy.answer)
    assert entries == len(host.memory.entries)
    assert not has_money(host.book(terminal.ids[41]).batches[-1])


async def test_a_reversal_with_a_new_stan_of_what_is_already_reversed_takes_nothing_more(
    iso87: Iso87Terminal, host: HostInProcess
) -> None:
    sale = await iso87.purchase(12_34)
    for _ in range(2):
        assert "00" == (await iso87.reverse(sale.request)).code

    assert Side(1, 12_34) == host.groups("I0000001")["debits_reversal"]


async def test_a_repeat_of_a_settled_unionpay_batch_still_gets_its_answer(unionpay: UnionPayTerminal) -> None:
    sale = await unionpay.purchase(12_34)
    await unionpay.settle(debit_credit((1, 12_34)))

    assert sale.answer == (await unionpay.again(sale)).answer


async def test_a_stan_begins_again_in_the_next_batch(terminal: Terminal) -> None:
    first = await terminal.purchase(12_34)
    if isinstance(terminal, UnionPayTerminal):
        await terminal.settle(debit_credit((1, 12_34)))
        terminal.batch = "000002"
    elif isinstance(terminal, HypercomTerminal):
        await terminal.settle({"sales": Side(1, 12_34)})
    else:
        await terminal.settle({"debits": Side(1, 12_34)})
    terminal.stan = 0

    second = await terminal.purchase(55_00)

    assert "00" == second.code
    assert first.stan == second.stan
    assert first.rrn != second.rrn


async def test_terminals_have_their_own_stans(host: HostInProcess) -> None:
    one, other = UnionPayTerminal(host, "T0000001"), UnionPayTerminal(host, "T0000002")

    assert ["00", "00"] == [(await one.purchase(1_00)).code, (await other.purchase(2_00)).code]
