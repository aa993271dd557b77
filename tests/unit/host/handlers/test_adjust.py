"""Adjusts: a sale of the open batch gets another amount."""

from __future__ import annotations

import pytest
from tests.unit.host.handlers.conftest import Terminal
from tests.unit.host.handlers.test_authorisations import counted, outcome, sales
from tests.unit.host.handlers.test_refund import close_batch
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import (
    OTHER_CARD,
    VISA_CARD,
    HypercomTerminal,
    UnionPayTerminal,
    debit_credit,
)

from pos_specs.totals import Side

Adjusting = UnionPayTerminal | HypercomTerminal


@pytest.fixture(params=["unionpay", "hypercom"])
def adjusting(request: pytest.FixtureRequest, host: HostInProcess) -> Adjusting:
    """A terminal of each dialect that has adjusts."""
    return UnionPayTerminal(host) if request.param == "unionpay" else HypercomTerminal(host)


def differs(terminal: Terminal) -> str:
    return "13" if isinstance(terminal, HypercomTerminal) else "64"


async def test_an_adjusted_sale_counts_once_with_its_new_amount(adjusting: Adjusting, host: HostInProcess) -> None:
    sale = await adjusting.purchase(10_00)

    adjust = await adjusting.adjust(sale, 11_50)

    assert ("0230", "00") == (adjust.answer.mti, adjust.code)
    assert sales(adjusting, 1, 11_50) == counted(adjusting, host)
    await close_batch(adjusting, sales=(1, 11_50))


async def test_the_last_of_several_adjusts_counts(adjusting: Adjusting, host: HostInProcess) -> None:
    sale = await adjusting.purchase(10_00)
    await adjusting.adjust(sale, 11_50)
    await adjusting.adjust(sale, 10_50)

    assert sales(adjusting, 1, 10_50) == counted(adjusting, host)


async def test_an_adjust_may_name_the_adjust_before_it(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    first = await unionpay.adjust(await unionpay.purchase(10_00), 11_50)

    assert "00" == (await unionpay.adjust(first, 12_00)).code
    assert {"domestic_debit": Side(1, 12_00)} == counted(unionpay, host)


async def test_a_tip_is_an_adjust_too(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    assert "00" == (await unionpay.adjust(await unionpay.offline_purchase(10_00), 11_00, "34", f48="0000")).code
    assert {"domestic_debit": Side(1, 11_00)} == counted(unionpay, host)


async def test_an_adjust_stays_in_the_half_of_its_sale(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    await unionpay.adjust(await unionpay.purchase(10_00, VISA_CARD), 11_00)

    assert {"foreign_debit": Side(1, 11_00)} == counted(unionpay, host)


async def test_an_adjust_sent_again_gets_the_same_answer(adjusting: Adjusting, host: HostInProcess) -> None:
    adjust = await adjusting.adjust(await adjusting.purchase(10_00), 11_50)

    assert adjust.answer.fields == (await adjusting.again(adjust, "0221")).answer.fields
    assert sales(adjusting, 1, 11_50) == counted(adjusting, host)


async def test_the_adjusted_sale_repeated_gets_its_own_answer(adjusting: Adjusting) -> None:
    sale = await adjusting.purchase(10_00)
    await adjusting.adjust(sale, 11_50)

    assert sale.answer == (await adjusting.again(sale)).answer


async def test_an_adjusted_sale_is_voided_with_its_new_amount(adjusting: Adjusting, host: HostInProcess) -> None:
    sale = await adjusting.purchase(10_00)
    await adjusting.adjust(sale, 11_50)

    assert differs(adjusting) == (await adjusting.void(sale)).code
    assert "00" == (await adjusting.void(sale, f4="000000001150")).code


async def test_a_void_may_name_the_adjust(hypercom: HypercomTerminal, host: HostInProcess) -> None:
    sale = await hypercom.purchase(10_00)
    adjust = await hypercom.adjust(sale, 11_50)

    assert "00" == (await hypercom.void(sale, f4="000000001150", f37=adjust.rrn)).code
    assert {} == counted(hypercom, host)


async def test_an_adjusted_sale_is_refunded_up_to_its_new_amount(adjusting: Adjusting) -> None:
    sale = await adjusting.purchase(10_00)
    await adjusting.adjust(sale, 11_50)

    codes = [(await adjusting.refund(sale, amount)).code for amount in (11_00, 51, 50)]

    assert ["00", differs(adjusting), "00"] == codes


async def test_an_adjusted_sale_of_an_old_batch_is_refunded_up_to_its_new_amount(adjusting: Adjusting) -> None:
    sale = await adjusting.purchase(10_00)
    await adjusting.adjust(sale, 11_50)
    await close_batch(adjusting, sales=(1, 11_50))
    for _ in range(3):
        await adjusting.purchase(1_00)
        await close_batch(adjusting, sales=(1, 1_00))

    assert [differs(adjusting), "00"] == [(await adjusting.refund(sale, amount)).code for amount in (11_51, 11_50)]


async def test_an_adjusted_sale_reversed_counts_nowhere(adjusting: Adjusting, host: HostInProcess) -> None:
    sale = await adjusting.purchase(10_00)
    await adjusting.adjust(sale, 11_50)

    assert "00" == (await adjusting.reverse(sale.request)).code
    assert {} == counted(adjusting, host)


async def test_an_adjust_is_not_reversed(adjusting: Adjusting, host: HostInProcess) -> None:
    adjust = await adjusting.adjust(await adjusting.purchase(10_00), 11_50)

    code = "00" if isinstance(adjusting, HypercomTerminal) else "25"
    assert code == (await adjusting.reverse(adjust.request)).code
    assert sales(adjusting, 1, 11_50) == counted(adjusting, host)


async def test_the_adjust_of_a_voided_reversed_or_settled_sale_is_refused(
    adjusting: Adjusting, host: HostInProcess
) -> None:
    voided, reversed_ = await adjusting.purchase(10_00), await adjusting.purchase(20_00)
    await adjusting.void(voided)
    await adjusting.reverse(reversed_.request)
    assert ("12", "already_voided") == ((await adjusting.adjust(voided, 11_00)).code, outcome(host))
    assert ("12", "already_reversed") == ((await adjusting.adjust(reversed_, 21_00)).code, outcome(host))
    both = {"sales": (1, 10_00), "refunds": (1, 10_00)} if isinstance(adjusting, UnionPayTerminal) else {}
    await close_batch(adjusting, **both)
    sale = await adjusting.purchase(30_00)
    await close_batch(adjusting, sales=(1, 30_00))
    named = {"f61": f"{sale.request.fields[60][2:8]}{sale.stan}0302"} if isinstance(adjusting, UnionPayTerminal) else {}

    assert ("25", "original_settled") == ((await adjusting.adjust(sale, 31_00, **named)).code, outcome(host))


async def test_the_adjust_of_another_card_or_to_nothing_is_refused(adjusting: Adjusting, host: HostInProcess) -> None:
    sale = await adjusting.purchase(10_00)

    assert "25" == (await adjusting.adjust(sale, 11_00, f2=OTHER_CARD)).code
    assert "13" == (await adjusting.adjust(sale, 0)).code


async def test_the_adjust_of_a_declined_sale_or_an_authorisation_is_refused(adjusting: Adjusting) -> None:
    for original in (await adjusting.purchase(0), await adjusting.auth(10_00)):
        assert "25" == (await adjusting.adjust(original, 11_00)).code


async def test_an_adjust_below_what_was_refunded_is_refused(adjusting: Adjusting) -> None:
    sale = await adjusting.purchase(10_00)
    await adjusting.refund(sale, 8_00)

    assert differs(adjusting) == (await adjusting.adjust(sale, 7_99)).code
    assert "00" == (await adjusting.adjust(sale, 8_00)).code


async def test_a_unionpay_adjust_of_something_unknown_counts_by_itself(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    sale = await unionpay.purchase(10_00)
    stranger = {"f61": f"{unionpay.batch}0007770302", "f37": " " * 12}

    assert "00" == (await unionpay.adjust(sale, 11_00, **stranger)).code
    assert {"domestic_debit": Side(2, 21_00)} == counted(unionpay, host)


async def test_a_unionpay_adjust_that_names_a_batch_nobody_knows_is_refused(unionpay: UnionPayTerminal) -> None:
    sale = await unionpay.purchase(10_00)

    assert "25" == (await unionpay.adjust(sale, 11_00, f61="0007770000010302")).code


async def test_a_hypercom_adjust_of_something_unknown_is_refused(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    sale = await hypercom.purchase(10_00)

    assert ("25", "original_not_found") == (
        (await hypercom.adjust(sale, 11_00, f37="000009000009")).code,
        outcome(host),
    )


async def test_a_hypercom_adjust_must_state_the_amount_before_it(hypercom: HypercomTerminal) -> None:
    sale = await hypercom.purchase(10_00)
    assert "13" == (await hypercom.adjust(sale, 11_00, f60="000000000999")).code
    assert "00" == (await hypercom.adjust(sale, 11_00)).code
    assert "00" == (await hypercom.adjust(sale, 12_00, f60="000000001100")).code


async def test_a_hypercom_refund_is_adjusted_by_220000_only(hypercom: HypercomTerminal, host: HostInProcess) -> None:
    sale = await hypercom.purchase(10_00)
    refund = await hypercom.refund(sale, 4_00)

    assert "25" == (await hypercom.adjust(refund, 5_00)).code
    assert "25" == (await hypercom.adjust(sale, 5_00, f3="220000")).code
    assert "00" == (await hypercom.adjust(refund, 5_00, f3="220000")).code
    assert {"sales": Side(1, 10_00), "refunds": Side(1, 5_00)} == counted(hypercom, host)
    assert ["13", "00"] == [(await hypercom.refund(sale, amount)).code for amount in (5_01, 5_00)]


async def test_an_adjusted_hypercom_sale_is_uploaded_with_its_new_amount(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    sale = await hypercom.purchase(10_00)
    await hypercom.adjust(sale, 11_50)
    await hypercom.settle({"sales": Side(2, 99_00)})
    await hypercom.upload(sale, f4="000000001150", f3="020001")

    trailer = await hypercom.settle({"sales": Side(1, 11_50)}, trailer=True)

    assert "00" == trailer.code
    assert 1 == sum(stored.entry.kind == "adjust" for stored in host.memory.entries)


@pytest.mark.parametrize("under_its_own_stan", [False, True])
async def test_an_adjust_that_never_came_is_posted_by_its_upload(
    hypercom: HypercomTerminal, host: HostInProcess, *, under_its_own_stan: bool
) -> None:
    sale = await hypercom.purchase(10_00)
    await hypercom.settle({"sales": Side(1, 11_50)})
    own = {"f60": f"0220000777{' ' * 12}", "f37": sale.rrn, "f62": None} if under_its_own_stan else {}
    for _ in range(2):
        assert "00" == (await hypercom.upload(sale, f4="000000001150", f3="020001", **own)).code

    trailer = await hypercom.settle({"sales": Side(1, 11_50)}, trailer=True)

    assert "00" == trailer.code
    assert {"sales": Side(1, 11_50)} == host.book("H0000001").batches[0].groups


async def test_an_offline_sale_that_never_came_is_posted_by_its_upload(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    sale = await hypercom.purchase(10_00)
    await hypercom.settle({"sales": Side(2, 35_00)})
    assert "00" == (await hypercom.upload(sale)).code
    told = {"f4": "000000002500", "f60": f"0220000777{' ' * 12}", "f38": "998877"}
    assert "00" == (await hypercom.upload(sale, **told)).code

    assert "00" == (await hypercom.settle({"sales": Side(2, 35_00)}, trailer=True)).code
    assert {"sales": Side(2, 35_00)} == host.book("H0000001").batches[0].groups


async def test_a_completion_that_never_came_is_posted_by_its_upload(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    auth = await hypercom.auth(50_00)
    await hypercom.settle({"sales": Side(1, 48_00)})
    told = {"f4": "000000004800", "f3": "000001", "f60": f"0220000777{' ' * 12}", "f38": auth.answer.fields[38]}
    assert "00" == (await hypercom.upload(auth, **told)).code

    assert "00" == (await hypercom.settle({"sales": Side(1, 48_00)}, trailer=True)).code
    posted = [stored.entry.kind for stored in host.memory.entries if stored.entry.stan == "000777"]
    assert ["completion_advice"] == posted
    (row,) = host.book("H0000001").authorisations.values()
    assert ("completed", 48_00) == (row.state, row.completed_minor)


async def test_an_adjust_settles_in_unionpay(unionpay: UnionPayTerminal) -> None:
    sale = await unionpay.purchase(10_00)
    await unionpay.adjust(sale, 11_50)

    settled = await unionpay.settle(debit_credit((1, 11_50)))

    assert "11" == settled.answer.fields[48][30::31]
