from __future__ import annotations

from tests.unit.host.handlers.conftest import Terminal
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import (
    OTHER_CARD,
    UNIONPAY_CARD,
    VISA_CARD,
    WRONG_CARD,
    HypercomTerminal,
    Iso87Terminal,
    UnionPayTerminal,
    debit_credit,
    original_data,
)

from pos_specs.totals import Side


def outcome(host: HostInProcess) -> str:
    return host.memory.entries[-1].entry.outcome


def more_than_left(terminal: Terminal) -> str:
    return "13" if isinstance(terminal, HypercomTerminal) else "64"


async def close_batch(
    terminal: Terminal, *, sales: tuple[int, int] = (0, 0), refunds: tuple[int, int] = (0, 0)
) -> None:
    """Settle with these totals and go on in the next batch."""
    if isinstance(terminal, UnionPayTerminal):
        settled = await terminal.settle(debit_credit(sales, refunds))
        assert "1" == settled.answer.fields[48][30]
        terminal.batch = f"{int(terminal.batch) + 1:06d}"
        return
    names = ("sales", "refunds") if isinstance(terminal, HypercomTerminal) else ("debits", "credits")
    settled = await terminal.settle(dict(zip(names, (Side(*sales), Side(*refunds)), strict=True)))
    assert ("00", "1") == (settled.code, settled.answer.fields.get(66, "1"))
    terminal.batch = f"{int(terminal.batch) + 1:06d}"


async def test_a_refund_is_credit_beside_its_purchase(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(12_34)
    await terminal.refund(sale, 2_00)
    debit, credit = {"unionpay": ("domestic_debit", "domestic_credit"), "hypercom": ("sales", "refunds")}.get(
        terminal.dialect, ("debits", "credits")
    )

    assert {debit: Side(1, 12_34), credit: Side(1, 2_00)} == host.groups(terminal.ids[41])


async def test_a_purchase_is_refunded_in_parts_until_nothing_is_left(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(10_00)

    codes = [(await terminal.refund(sale, amount)).code for amount in (4_00, 5_00, 1_01, 1_00, 1)]

    refused = more_than_left(terminal)
    assert ["00", "00", refused, "00", refused] == codes
    assert "original_differs" == outcome(host)


async def test_a_refund_of_the_batch_before_is_posted_in_the_open_one(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(10_00)
    await close_batch(terminal, sales=(1, 10_00))

    assert "00" == (await terminal.refund(sale, 4_00)).code
    assert more_than_left(terminal) == (await terminal.refund(sale, 6_01)).code
    assert "00" == (await terminal.refund(sale, 6_00)).code


async def test_a_refund_of_a_batch_that_only_the_store_remembers(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(10_00)
    await close_batch(terminal, sales=(1, 10_00))
    for _ in range(3):
        await terminal.purchase(1_00)
        await close_batch(terminal, sales=(1, 1_00))
    assert sale.rrn not in {rrn for batch in host.book(terminal.ids[41]).batches for rrn in batch.by_rrn}
    named = {"f37": sale.rrn} if isinstance(terminal, Iso87Terminal) else {}

    codes = [(await terminal.refund(sale, amount, **named)).code for amount in (4_00, 6_01, 6_00, 1)]

    refused = more_than_left(terminal)
    assert ["00", refused, "00", refused] == codes


async def test_a_store_lookup_answers_in_turn(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(10_00)
    await close_batch(terminal, sales=(1, 10_00))
    for _ in range(3):
        await terminal.purchase(1_00)
        await close_batch(terminal, sales=(1, 1_00))
    refund = await terminal.refund(sale, 4_00)
    following = terminal.purchase_message(7_00)
    terminal.stan += 1
    first = terminal.message(
        "0220" if terminal.dialect == "unionpay" else "0200", dict(refund.request.fields), {11: "000900"}
    )
    before = len(terminal.line.answers)

    for message in (first, following):
        terminal.line.feed(terminal.line.bytes_of(message))
    answers = await terminal.line.wait_for(before + 2, since=before)

    assert ["000900", following.fields[11]] == [answer.fields[11] for answer in answers]
    assert ["00", "00"] == [answer.fields[39] for answer in answers]


async def test_after_a_reversed_refund_its_amount_can_be_refunded_again(terminal: Terminal) -> None:
    sale = await terminal.purchase(10_00)
    refund = await terminal.refund(sale, 10_00)
    assert more_than_left(terminal) == (await terminal.refund(sale, 10_00)).code

    assert "00" == (await terminal.reverse(refund.request)).code

    assert "00" == (await terminal.refund(sale, 10_00)).code


async def test_a_reversed_refund_of_an_old_batch_can_be_made_again(terminal: Terminal) -> None:
    sale = await terminal.purchase(10_00)
    await close_batch(terminal, sales=(1, 10_00))
    for _ in range(3):
        await terminal.purchase(1_00)
        await close_batch(terminal, sales=(1, 1_00))
    named = {"f37": sale.rrn} if isinstance(terminal, Iso87Terminal) else {}
    refund = await terminal.refund(sale, 10_00, **named)
    await terminal.reverse(refund.request)

    assert "00" == (await terminal.refund(sale, 10_00, **named)).code


async def test_with_equal_stans_in_two_batches_a_reversed_refund_goes_back_to_its_own_purchase(
    hypercom: HypercomTerminal,
) -> None:
    first = await hypercom.purchase(10_00)
    await close_batch(hypercom, sales=(1, 10_00))
    hypercom.stan = 0
    second = await hypercom.purchase(10_00)
    refunds = [await hypercom.refund(sale, 10_00) for sale in (first, second)]
    assert ["00", "00"] == [refund.code for refund in refunds]

    await hypercom.reverse(refunds[1].request)

    assert "13" == (await hypercom.refund(first, 1)).code
    assert "00" == (await hypercom.refund(second, 10_00)).code


async def test_the_refund_of_a_voided_purchase_is_refused(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(10_00)
    await terminal.void(sale)

    assert ("12", "already_voided") == ((await terminal.refund(sale, 1_00)).code, outcome(host))


async def test_the_refund_of_a_reversed_purchase_is_refused(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(10_00)
    await terminal.reverse(sale.request)

    assert ("12", "already_reversed") == ((await terminal.refund(sale, 1_00)).code, outcome(host))


async def test_the_refund_of_a_purchase_whose_void_was_reversed_is_approved(terminal: Terminal) -> None:
    sale = await terminal.purchase(10_00)
    void = await terminal.void(sale)
    await terminal.reverse(void.request)

    assert "00" == (await terminal.refund(sale, 10_00)).code


async def test_the_refund_of_an_unknown_purchase_is_refused(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(10_00)
    unknown = {"f37": "000009000009"}
    if isinstance(terminal, Iso87Terminal):
        unknown = {"f90": original_data(sale.request).replace(sale.stan, "000077")}

    assert ("25", "original_not_found") == ((await terminal.refund(sale, 1_00, **unknown)).code, outcome(host))


async def test_the_refund_to_another_card_finds_no_original(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(10_00)

    assert ("25", "original_not_found") == ((await terminal.refund(sale, 1_00, f2=OTHER_CARD)).code, outcome(host))


async def test_a_refund_of_nothing_or_to_a_wrong_card_is_refused(terminal: Terminal) -> None:
    sale = await terminal.purchase(10_00)

    assert "13" == (await terminal.refund(sale, 0)).code
    assert "14" == (await terminal.refund(sale, 1_00, f2=WRONG_CARD)).code


async def test_a_refund_in_another_currency_than_its_purchase_is_refused(terminal: Terminal) -> None:
    sale = await terminal.purchase(10_00, f49="840")
    await close_batch(terminal, sales=(1, 10_00))

    assert more_than_left(terminal) == (await terminal.refund(sale, 1_00, f49="156")).code
    assert "00" == (await terminal.refund(sale, 1_00, f49="840")).code


async def test_a_unionpay_refund_that_names_no_original_is_refused(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    sale = await unionpay.purchase(10_00)
    nothing = {"f37": " " * 12, "f61": "0" * 16}

    assert ("25", "original_not_found") == ((await unionpay.refund(sale, 1_00, **nothing)).code, outcome(host))


async def test_hypercom_and_iso87_refunds_may_stand_alone(
    hypercom: HypercomTerminal, iso87: Iso87Terminal, host: HostInProcess
) -> None:
    assert ["00", "00"] == [(await one.refund(None, 5_00, VISA_CARD)).code for one in (hypercom, iso87)]
    assert {"refunds": Side(1, 5_00)} == host.groups("H0000001")
    assert {"credits": Side(1, 5_00)} == host.groups("I0000001")


async def test_the_refund_of_a_foreign_purchase_counts_in_the_foreign_half(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    sale = await unionpay.purchase(10_00, VISA_CARD)
    await unionpay.refund(sale, 3_00, f63="VIS")

    assert {"foreign_debit": Side(1, 10_00), "foreign_credit": Side(1, 3_00)} == host.groups("T0000001")


async def test_a_refund_of_an_unknown_organisation_counts_as_domestic(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    unknown = "900000000000000" + "1"
    sale = await unionpay.purchase(10_00, unknown)
    assert "00" == sale.code
    await unionpay.refund(sale, 3_00, f63="000")

    assert {"foreign_debit": Side(1, 10_00), "domestic_credit": Side(1, 3_00)} == host.groups("T0000001")


async def test_a_refund_without_a_card_takes_its_purchases(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    sale = await unionpay.purchase(10_00, UNIONPAY_CARD)

    assert "00" == (await unionpay.refund(sale, 3_00, f2=None)).code
    assert {"domestic_debit": Side(1, 10_00), "domestic_credit": Side(1, 3_00)} == host.groups("T0000001")
