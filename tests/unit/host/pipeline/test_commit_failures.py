"""Where the host cannot make it durable it does not answer 00, and nothing of the request remains."""

from __future__ import annotations

from typing import Any

from tests.unit.host.pipeline.conftest import Terminal
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import Logs, books
from tests.unit.host.pipeline.terminals import HypercomTerminal, Iso87Terminal, UnionPayTerminal, debit_credit

from pos_specs.totals import Side


def settle(terminal: Terminal, *, sales: tuple[int, int]) -> Any:
    if isinstance(terminal, UnionPayTerminal):
        return terminal.settle(debit_credit(sales))
    return terminal.settle({"sales" if isinstance(terminal, HypercomTerminal) else "debits": Side(*sales)})


async def test_a_purchase_whose_commit_fails_is_answered_96_and_leaves_nothing(
    terminal: Terminal, host: HostInProcess, logs: Logs
) -> None:
    await terminal.purchase(1_00)
    before, entries = books(host.registry), len(host.memory.entries)
    host.memory.fail_next = 1

    failed = await terminal.purchase(2_00)

    assert ("96", None) == (failed.code, failed.answer.fields.get(38))
    assert before == books(host.registry)
    assert entries == len(host.memory.entries)
    assert ["the commit failed"] == [line["reason"] for line in logs if line["event"] == "internal_error"]


async def test_a_late_copy_of_a_failed_purchase_is_answered_96_again(terminal: Terminal, host: HostInProcess) -> None:
    """The terminal took the first answer for declined and has gone on."""
    await terminal.purchase(1_00)
    host.memory.fail_next = 1
    failed = await terminal.purchase(2_00)
    entries = len(host.memory.entries)

    assert "96" == (await terminal.again(failed)).code
    assert entries == len(host.memory.entries)
    assert "00" == (await terminal.purchase(2_00)).code


async def test_minutes_later_the_same_stan_is_taken_as_new(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(1_00)
    host.memory.fail_next = 1
    failed = await terminal.purchase(2_00)
    host.clock.move_to(host.clock.now_ms() + 300_001)

    assert "00" == (await terminal.again(failed)).code


async def test_a_failed_reversal_is_taken_when_it_comes_again(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(1_00)
    host.memory.fail_next = 1
    failed = await terminal.reverse(sale.request)

    assert ["96", "00"] == [failed.code, (await terminal.again(failed)).code]


async def test_a_failed_advice_is_taken_when_it_comes_again(terminal: Terminal, host: HostInProcess) -> None:
    """Its terminal sends it until it is answered: the sale has been made."""
    await terminal.purchase(1_00)
    host.memory.fail_next = 1
    failed = await terminal.offline_purchase(2_00)

    assert ["96", "00"] == [failed.code, (await terminal.again(failed)).code]


async def test_an_authorisation_whose_commit_fails_leaves_nothing(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(1_00)
    before = books(host.registry)
    host.memory.fail_next = 1

    assert "96" == (await terminal.auth(50_00)).code
    assert before == books(host.registry)


async def test_each_kind_of_request_survives_a_failing_commit(terminal: Terminal, host: HostInProcess) -> None:
    sale, other = await terminal.purchase(1_00), await terminal.purchase(2_00)
    before = books(host.registry)
    asks = [
        lambda: terminal.void(sale),
        lambda: terminal.refund(sale, 50),
        lambda: terminal.reverse(other.request),
        lambda: terminal.purchase(0),
        lambda: terminal.sign_in(),
        lambda: settle(terminal, sales=(2, 3_00)),
        lambda: settle(terminal, sales=(1, 1_00)),
    ]
    for ask in asks:
        host.memory.fail_next = 1
        assert "96" == (await ask()).code
        assert before == books(host.registry)

    assert "00" == (await terminal.void(sale)).code


async def test_a_unionpay_settlement_whose_commit_fails_has_code_3(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    await unionpay.purchase(1_00)
    host.memory.fail_next = 1

    failed = await unionpay.settle(debit_credit((1, 1_00)))

    assert ("96", "33") == (failed.code, failed.answer.fields[48][30::31])
    assert "11" == (await unionpay.settle(debit_credit((1, 1_00)))).answer.fields[48][30::31]


async def test_an_iso87_settlement_whose_commit_fails_has_de66_3(iso87: Iso87Terminal, host: HostInProcess) -> None:
    await iso87.purchase(1_00)
    host.memory.fail_next = 1

    failed = await iso87.settle({"debits": Side(1, 1_00)})

    assert ("96", "3") == (failed.code, failed.answer.fields[66])


async def test_an_enrolment_whose_commit_fails_is_tried_again(terminal: Terminal, host: HostInProcess) -> None:
    host.memory.fail_next = 1

    assert "96" == (await terminal.purchase(1_00)).code
    assert [] == host.registry.of_terminal(terminal.ids[41])
    assert "00" == (await terminal.purchase(1_00)).code


async def test_a_batch_number_whose_commit_fails_is_still_believed_later(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    unionpay.batch = "000519"
    unionpay.line.feed(unionpay.line.bytes_of(unionpay.purchase_message(1_00)))
    while not host.registry.of_terminal("T0000001"):
        await host.memory_turn()
    host.memory.fail_next = 1
    await unionpay.line.wait_for(1)

    assert "96" == unionpay.line.answers[-1].fields[39]
    assert "00" == (await unionpay.purchase(1_00)).code
    assert "000519" == host.book("T0000001").batches[-1].number


async def test_one_failing_commit_answers_every_terminal_of_it(host: HostInProcess) -> None:
    terminals = [UnionPayTerminal(host, f"T{number:07d}") for number in range(5)]
    for terminal in terminals:
        await terminal.sign_in()
    host.memory.fail_next = 1

    for terminal in terminals:
        terminal.line.feed(terminal.line.bytes_of(terminal.purchase_message(1_00)))
    await host.quiet()

    assert ["96"] * 5 == [terminal.line.answers[-1].fields[39] for terminal in terminals]
    assert ["00"] * 5 == [(await terminal.purchase(1_00)).code for terminal in terminals]


async def test_waiting_requests_go_on_after_a_failing_commit(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(1_00)
    messages = [terminal.purchase_message(2_00) for _ in range(3)]
    host.memory.fail_next = 1

    data = b"".join(terminal.line.bytes_of(message) for message in messages)
    answers = await terminal.line.ask_raw(data, expect=3)

    assert ["96", "00", "00"] == [answer.fields[39] for answer in answers]


async def test_a_format_error_is_answered_even_when_it_cannot_be_journalled(
    terminal: Terminal, host: HostInProcess
) -> None:
    host.memory.fail_next = 1

    assert "30" == (await terminal.purchase(1_00, f4=None)).code
