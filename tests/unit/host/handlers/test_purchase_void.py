from __future__ import annotations

from tests.unit.host.handlers.conftest import Terminal
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import Logs
from tests.unit.host.pipeline.terminals import (
    OTHER_CARD,
    HypercomTerminal,
    Iso87Terminal,
    UnionPayTerminal,
    debit_credit,
    original_data,
)

from pos_specs.totals import Side


def outcome(host: HostInProcess) -> str:
    return host.memory.entries[-1].entry.outcome


async def test_in_unionpay_a_voided_sale_stays_in_debit_and_its_void_is_credit(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    await unionpay.void(await unionpay.purchase(12_34))

    assert {"domestic_debit": Side(1, 12_34), "domestic_credit": Side(1, 12_34)} == host.groups("T0000001")


async def test_in_hypercom_a_voided_sale_counts_nowhere(hypercom: HypercomTerminal, host: HostInProcess) -> None:
    await hypercom.void(await hypercom.purchase(12_34))

    assert {"sales": Side(0, 0)} == host.groups("H0000001")


async def test_in_iso87_a_voided_sale_is_a_debit_and_its_reversal(iso87: Iso87Terminal, host: HostInProcess) -> None:
    await iso87.void(await iso87.purchase(12_34))

    assert {"debits": Side(1, 12_34), "debits_reversal": Side(1, 12_34)} == host.groups("I0000001")


async def test_the_void_of_a_voided_purchase_is_refused(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(12_34)
    await terminal.void(sale)

    assert ("12", "already_voided") == ((await terminal.void(sale)).code, outcome(host))


async def test_the_void_of_a_reversed_purchase_is_refused(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(12_34)
    await terminal.reverse(sale.request)

    assert ("12", "already_reversed") == ((await terminal.void(sale)).code, outcome(host))


async def test_the_void_of_a_settled_purchase_is_refused(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(12_34)
    if isinstance(terminal, UnionPayTerminal):
        await terminal.settle(debit_credit((1, 12_34)))
        terminal.batch = "000002"
    else:
        name = "sales" if isinstance(terminal, HypercomTerminal) else "debits"
        await terminal.settle({name: Side(1, 12_34)})

    assert ("25", "original_settled") == ((await terminal.void(sale)).code, outcome(host))


async def test_the_void_of_an_unknown_purchase_is_refused(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(12_34)
    unknown = {"f37": "000009000009"}
    if isinstance(terminal, Iso87Terminal):
        unknown = {"f90": original_data(sale.request).replace(sale.stan, "000077")}

    assert ("25", "original_not_found") == ((await terminal.void(sale, **unknown)).code, outcome(host))


async def test_what_a_void_says_of_its_original_must_all_fit(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    first, second = await unionpay.purchase(12_34), await unionpay.purchase(12_34)
    for wrong in ({"f37": second.rrn}, {"f61": f"000009{first.stan}"}, {"f61": f"000001{second.stan}"}):
        assert ("25", "original_not_found") == ((await unionpay.void(first, **wrong)).code, outcome(host))

    assert "00" == (await unionpay.void(first)).code


async def test_batch_numbers_that_end_in_zeros_are_whole_numbers(unionpay: UnionPayTerminal) -> None:
    """000010 is neither 1 nor 100."""
    unionpay.batch = "000010"
    sale = await unionpay.purchase(12_34)

    for other in ("000001", "000100"):
        assert "25" == (await unionpay.void(sale, f61=f"{other}{sale.stan}")).code
    assert "00" == (await unionpay.void(sale)).code


async def test_the_void_of_a_declined_purchase_finds_no_original(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(0)

    assert ("25", "original_not_found") == ((await terminal.void(sale, f4="000000000000")).code, outcome(host))


async def test_a_refund_cannot_be_voided_as_a_purchase(terminal: Terminal, host: HostInProcess) -> None:
    refund = await terminal.refund(await terminal.purchase(12_34), 2_00)

    assert ("25", "original_not_found") == ((await terminal.void(refund)).code, outcome(host))


async def test_the_void_of_another_amount_is_refused(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(12_34)
    code = "13" if isinstance(terminal, HypercomTerminal) else "64"

    assert (code, "original_differs") == ((await terminal.void(sale, f4="000000001000")).code, outcome(host))
    assert "00" == (await terminal.void(sale)).code


async def test_a_hypercom_void_may_say_its_amount_in_de60(hypercom: HypercomTerminal, host: HostInProcess) -> None:
    sale = await hypercom.purchase(12_34)

    assert "13" == (await hypercom.void(sale, f4=sale.request.fields[4], f60="000000001000")).code
    assert "00" == (await hypercom.void(sale, f4="000000000000", f60=sale.request.fields[4])).code


async def test_a_void_in_another_currency_is_refused(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(12_34)
    code = "13" if isinstance(terminal, HypercomTerminal) else "64"

    assert (code, "original_differs") == ((await terminal.void(sale, f49="840")).code, outcome(host))


async def test_the_void_of_another_card_finds_no_original(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(12_34)

    assert ("25", "original_not_found") == ((await terminal.void(sale, f2=OTHER_CARD)).code, outcome(host))


async def test_the_void_of_a_refunded_purchase_is_refused(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(12_34)
    await terminal.refund(sale, 1_00)
    code = "13" if isinstance(terminal, HypercomTerminal) else "64"

    assert (code, "original_differs") == ((await terminal.void(sale)).code, outcome(host))


async def test_the_reversal_of_a_refunded_purchase_gives_nothing_back_twice(
    terminal: Terminal, host: HostInProcess
) -> None:
    sale = await terminal.purchase(12_34)
    await terminal.refund(sale, 1_00)
    before = dict(host.groups(terminal.ids[41]))

    answered = (await terminal.reverse(sale.request)).code

    assert before == host.groups(terminal.ids[41])
    assert ("00" if isinstance(terminal, HypercomTerminal) else "12") == answered


async def test_a_hypercom_void_finds_its_sale_by_rrn_or_by_invoice(hypercom: HypercomTerminal) -> None:
    first, second = await hypercom.purchase(12_34), await hypercom.purchase(43_21)

    assert "00" == (await hypercom.void(first, f62=None)).code
    assert "00" == (await hypercom.void(second, f37=None)).code


async def test_a_void_keeps_the_currency_of_its_sale(hypercom: HypercomTerminal, host: HostInProcess) -> None:
    await hypercom.void(await hypercom.purchase(12_34, f49="840"))

    assert "840" == host.memory.entries[-1].entry.currency


async def test_each_refusal_of_a_void_says_why_in_the_log(unionpay: UnionPayTerminal, logs: Logs) -> None:
    sale = await unionpay.purchase(12_34)
    await unionpay.void(sale)
    await unionpay.void(sale)

    declined = [line for line in logs if line["event"] == "request_declined"]
    assert [("already_voided", "the purchase of STAN 000001 was voided")] == [
        (line["outcome"], line["reason"]) for line in declined
    ]
