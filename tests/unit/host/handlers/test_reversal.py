from __future__ import annotations

from typing import Any

from tests.unit.host.handlers.conftest import Terminal
from tests.unit.host.handlers.test_refund import close_batch
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import (
    OTHER_CARD,
    Exchange,
    HypercomTerminal,
    Iso87Terminal,
    UnionPayTerminal,
    original_data,
)

from pos_host.ledger.group_totals import has_money
from pos_specs.message import Message
from pos_specs.test_cards import find_test_card
from pos_specs.totals import Side


def outcome(host: HostInProcess) -> str:
    return host.memory.entries[-1].entry.outcome


def groups(terminal: Terminal, host: HostInProcess) -> dict[str, Side]:
    """The totals of the open batch, empty ones left out."""
    return {
        name: side
        for name, side in host.groups(terminal.ids[41]).items()
        if side.count and not isinstance(terminal, Iso87Terminal)
    }


def nothing_stands(terminal: Terminal, host: HostInProcess) -> bool:
    """No money in the open batch, its reversals set off."""
    return not has_money(host.book(terminal.ids[41]).batches[-1])


async def send(terminal: Terminal, message: Message) -> Exchange:
    return Exchange(message, await terminal.line.ask(message.mti, message.fields))


async def test_a_reversed_purchase_counts_nowhere(
    unionpay: UnionPayTerminal, hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    for terminal in (unionpay, hypercom):
        sale = await terminal.purchase(12_34)

        assert "00" == (await terminal.reverse(sale.request)).code
        assert {} == groups(terminal, host)


async def test_in_iso87_a_reversed_purchase_is_a_debit_and_its_reversal(
    iso87: Iso87Terminal, host: HostInProcess
) -> None:
    await iso87.reverse((await iso87.purchase(12_34)).request)

    assert {"debits": Side(1, 12_34), "debits_reversal": Side(1, 12_34)} == host.groups("I0000001")


async def test_an_unknown_reversal_is_accepted(terminal: Terminal, host: HostInProcess) -> None:
    never_sent = terminal.purchase_message(12_34)

    reversal = await terminal.reverse(never_sent)

    assert ("0410", "00") == (reversal.answer.mti, reversal.code)
    assert {} == groups(terminal, host)


async def test_an_original_that_comes_after_its_reversal_is_refused(terminal: Terminal, host: HostInProcess) -> None:
    late = terminal.purchase_message(12_34)
    await terminal.reverse(late)

    answered = await send(terminal, late)

    assert ("12", "late_original") == (answered.code, outcome(host))
    assert answered.answer == (await send(terminal, late)).answer
    assert {} == groups(terminal, host)


async def test_a_tombstone_refuses_no_other_amount_card_or_stan(terminal: Terminal) -> None:
    await terminal.reverse(terminal.purchase_message(12_34))
    stan = "000001"

    assert "00" == (await terminal.purchase(12_34)).code
    assert "00" == (await terminal.purchase(12_35, f11=stan)).code


async def test_a_tombstone_does_not_refuse_the_same_stan_with_another_card(terminal: Terminal) -> None:
    late = terminal.purchase_message(12_34)
    await terminal.reverse(late)

    assert "00" == (await terminal.purchase(12_34, f11=late.fields[11], f2=OTHER_CARD)).code


async def test_a_tombstone_without_a_card_refuses_by_stan_and_amount(unionpay: UnionPayTerminal) -> None:
    late = unionpay.purchase_message(12_34)
    await unionpay.reverse(late, f2=None)

    assert "12" == (await send(unionpay, late)).code


async def test_a_tombstone_belongs_to_its_batch(terminal: Terminal) -> None:
    late = terminal.purchase_message(12_34)
    await terminal.reverse(late)
    await terminal.purchase(5_00)
    await close_batch(terminal, sales=(1, 5_00))

    assert "00" == (await terminal.purchase(12_34, f11=late.fields[11])).code


async def test_a_late_void_and_a_late_refund_are_refused_too(
    hypercom: HypercomTerminal, iso87: Iso87Terminal, unionpay: UnionPayTerminal
) -> None:
    for terminal in (hypercom, iso87):
        sale = await terminal.purchase(12_34)
        late: dict[str, Any] = {"f11": "000700"}
        refund = (await terminal.refund(sale, 1_00)).request
        await terminal.reverse(terminal.message("0200", dict(refund.fields), {11: "000700"}))
        assert "12" == (await terminal.refund(sale, 1_00, **late)).code
    sale = await unionpay.purchase(12_34)
    void = unionpay.message("0200", dict(sale.request.fields), {3: "200000", 11: "000700", 60: "23000001000500"})
    await unionpay.reverse(void)
    assert "12" == (await unionpay.void(sale, f11="000700")).code
    assert "00" == (await unionpay.void(sale)).code


async def test_the_reversal_of_a_void_restores_the_sale(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(12_34)
    before = groups(terminal, host)
    void = await terminal.void(sale)

    assert "00" == (await terminal.reverse(void.request)).code

    assert before == groups(terminal, host)
    assert "00" == (await terminal.void(sale)).code


async def test_the_reversal_of_a_hypercom_void_that_says_its_amount_in_de60_restores_the_sale(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    sale = await hypercom.purchase(12_34)
    void = await hypercom.void(sale, f4="0" * 12, f60=sale.request.fields[4])

    assert "00" == (await hypercom.reverse(void.request)).code
    assert {"sales": Side(1, 12_34)} == groups(hypercom, host)


async def test_the_reversal_of_a_refund_takes_the_credit_back(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(12_34)
    before = groups(terminal, host)
    refund = await terminal.refund(sale, 2_00)

    assert "00" == (await terminal.reverse(refund.request)).code
    assert before == groups(terminal, host)


async def test_the_reversal_of_a_declined_purchase_is_accepted(terminal: Terminal, host: HostInProcess) -> None:
    declined = await terminal.purchase(0)

    assert "00" == (await terminal.reverse(declined.request)).code
    assert {} == groups(terminal, host)


async def test_a_reversal_of_another_amount_takes_nothing_back(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(12_34)

    reversal = await terminal.reverse(sale.request, f4="000000000001")

    blocks_on_refusal = isinstance(terminal, HypercomTerminal)
    assert ("00" if blocks_on_refusal else "64") == reversal.code
    assert "00" == (await terminal.void(sale)).code


async def test_the_right_reversal_after_one_of_another_amount_takes_the_sale_back(
    terminal: Terminal, host: HostInProcess
) -> None:
    sale = await terminal.purchase(12_34)
    await terminal.reverse(sale.request, f4="000000000001")

    assert "00" == (await terminal.reverse(sale.request)).code
    assert "00" == (await terminal.reverse(sale.request)).code, "and again"
    assert nothing_stands(terminal, host)


async def test_a_sale_under_the_stan_of_an_unknown_reversal_can_be_reversed(
    terminal: Terminal, host: HostInProcess
) -> None:
    never_sent = terminal.purchase_message(1_00)
    await terminal.reverse(never_sent)
    terminal.stan -= 1
    sale = await terminal.purchase(2_00)

    assert "00" == sale.code
    assert "00" == (await terminal.reverse(sale.request)).code
    assert nothing_stands(terminal, host)


async def test_the_reversal_of_a_voided_purchase_takes_nothing_back(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(12_34)
    await terminal.void(sale)
    before = groups(terminal, host)

    reversal = await terminal.reverse(sale.request)

    blocks_on_refusal = isinstance(terminal, HypercomTerminal)
    assert ("00" if blocks_on_refusal else "12") == reversal.code
    assert before == groups(terminal, host)


async def test_an_iso87_advice_is_never_declined(iso87: Iso87Terminal) -> None:
    sale = await iso87.purchase(12_34)
    await iso87.void(sale)

    for wrong in ({}, {"f4": "000000000001"}):
        reversal = await iso87.reverse(sale.request, mti="0420", **wrong)
        assert ("0430", "00") == (reversal.answer.mti, reversal.code)


async def test_a_repeated_advice_is_answered_as_such(iso87: Iso87Terminal) -> None:
    sale = await iso87.purchase(12_34)
    reversal = await iso87.reverse(sale.request, mti="0420")

    again = await iso87.again(reversal, "0421")

    assert ("0430", reversal.answer.fields) == (again.answer.mti, again.answer.fields)


async def test_iso87_finds_the_original_by_de90(iso87: Iso87Terminal, host: HostInProcess) -> None:
    first, second = await iso87.purchase(1_00), await iso87.purchase(2_00)

    await iso87.reverse(second.request, f90=original_data(first.request), f4=first.request.fields[4])

    assert "12" == (await iso87.void(first)).code
    assert "00" == (await iso87.void(second)).code


async def test_in_a_closed_unionpay_batch_nothing_is_reversed(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    sale = await unionpay.purchase(12_34)
    await close_batch(unionpay, sales=(1, 12_34))

    reversal = await unionpay.reverse(sale.request)

    entry = host.memory.entries[-1].entry
    assert ("25", "reversal_of_closed", "original_settled") == (reversal.code, entry.kind, entry.outcome)
    assert reversal.answer == (await unionpay.again(reversal)).answer
    assert entry == host.memory.entries[-1].entry


async def test_in_a_closed_hypercom_batch_a_reversal_is_accepted_and_left_for_review(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    sale = await hypercom.purchase(12_34)
    await close_batch(hypercom, sales=(1, 12_34))

    reversal = await hypercom.reverse(sale.request)

    assert ("00", "reversal_of_closed") == (reversal.code, host.memory.entries[-1].entry.kind)
    assert {"sales": Side(1, 12_34)} == host.book("H0000001").batches[0].groups
    entries = len(host.memory.entries)
    assert reversal.answer == (await hypercom.again(reversal)).answer
    assert entries == len(host.memory.entries)


async def test_in_a_closed_iso87_batch_a_reversal_is_refused_and_an_advice_accepted(
    iso87: Iso87Terminal, host: HostInProcess
) -> None:
    sale = await iso87.purchase(12_34)
    await close_batch(iso87, sales=(1, 12_34))

    assert "25" == (await iso87.reverse(sale.request)).code
    assert "00" == (await iso87.reverse(sale.request, mti="0420")).code
    assert {"debits": Side(1, 12_34)} == host.book("I0000001").batches[0].groups


async def test_the_repeat_of_a_reversal_from_before_the_close_gets_its_answer(
    terminal: Terminal, host: HostInProcess
) -> None:
    sale = await terminal.purchase(12_34)
    reversal = await terminal.reverse(sale.request)
    await terminal.purchase(5_00)
    await close_batch(terminal, sales=(1, 5_00))

    assert reversal.answer == (await terminal.again(reversal)).answer
    assert "reversal_of_closed" not in {stored.entry.kind for stored in host.memory.entries}


async def test_a_reversal_of_a_stranger_with_the_same_stan_in_a_closed_batch_is_unknown(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    await hypercom.purchase(12_34)
    await close_batch(hypercom, sales=(1, 12_34))
    late = hypercom.purchase_message(99_00, f11="000001")

    assert "00" == (await hypercom.reverse(late)).code
    assert "12" == (await send(hypercom, late)).code


async def test_a_reversal_that_names_a_batch_long_gone_is_accepted_and_harms_nothing(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    await unionpay.sign_in()
    stray = unionpay.purchase_message(12_34, f60="22000777000500")

    reversal = await unionpay.reverse(stray)
    sale = await unionpay.purchase(12_34, f11=stray.fields[11])

    assert ["00", "00"] == [reversal.code, sale.code]
    assert reversal.answer == (await unionpay.again(reversal)).answer
    assert "00" == (await unionpay.reverse(sale.request)).code
    assert "12" == (await unionpay.void(sale)).code


async def test_a_unionpay_answer_to_a_reversal_holds_what_the_terminal_compares(unionpay: UnionPayTerminal) -> None:
    sale = await unionpay.purchase(12_34)

    answer = (await unionpay.reverse(sale.request)).answer

    assert {2, 3, 4, 11, 12, 13, 15, 25, 32, 37, 39, 41, 42, 49, 60} | {44} == answer.fields.keys()
    assert sale.stan == answer.fields[11]


async def test_after_the_close_a_reversal_of_what_was_reversed_before_gets_the_answer_of_then(
    iso87: Iso87Terminal, host: HostInProcess
) -> None:
    sale = await iso87.purchase(12_34)
    first = await iso87.reverse(sale.request)
    await iso87.purchase(5_00)
    await close_batch(iso87, sales=(1, 5_00))
    entries = len(host.memory.entries)

    again = await iso87.reverse(sale.request)

    assert ("00", first.rrn) == (again.code, again.rrn)
    assert entries == len(host.memory.entries)


async def test_in_a_unionpay_batch_that_only_the_store_remembers_nothing_is_reversed(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    sale = await unionpay.purchase(12_34)
    await close_batch(unionpay, sales=(1, 12_34))
    for _ in range(3):
        await unionpay.purchase(1_00)
        await close_batch(unionpay, sales=(1, 1_00))
    assert host.book("T0000001").batch_numbered("000001") is None

    reversal = await unionpay.reverse(sale.request)

    entry = host.memory.entries[-1].entry
    assert ("25", "reversal_of_closed", "original_settled") == (reversal.code, entry.kind, entry.outcome)
    assert reversal.answer == (await unionpay.again(reversal)).answer
    assert entry == host.memory.entries[-1].entry
    assert "00" == (await unionpay.refund(sale, 12_34)).code


async def test_a_reversal_of_a_stranger_in_such_a_batch_is_unknown(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    first, second = await unionpay.purchase(12_34), await unionpay.purchase(56_78)
    await close_batch(unionpay, sales=(2, 69_12))
    for _ in range(3):
        await close_batch(unionpay)

    assert "00" == (await unionpay.reverse(first.request, f2=OTHER_CARD)).code
    assert "00" == (await unionpay.reverse(second.request, f4="000000009900")).code
    assert "00" == (await unionpay.reverse(second.request, f11="000777")).code
    assert "reversal_of_closed" not in {stored.entry.kind for stored in host.memory.entries}


async def test_the_reversal_of_a_part_that_was_approved_may_say_either_amount(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    partial = find_test_card("unionpay-partial")
    assert partial is not None
    for amount in ("asked", "approved"):
        sale = await unionpay.purchase(900_00, partial.pan, f60=f"22{unionpay.batch}000501")
        assert "10" == sale.code
        named = sale.request.fields[4] if amount == "asked" else sale.answer.fields[4]

        assert "00" == (await unionpay.reverse(sale.request, f4=named)).code
        assert {} == groups(unionpay, host)
