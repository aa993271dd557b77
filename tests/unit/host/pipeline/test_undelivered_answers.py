"""An approval whose answer could not be delivered is remembered until a reversal takes it back."""

from __future__ import annotations

from tests.unit.host.pipeline.conftest import Terminal
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import Logs


async def lost(terminal: Terminal, host: HostInProcess) -> str:
    """A purchase whose line goes away before its answer; gives its STAN."""
    await terminal.purchase(1_00)
    message = terminal.purchase_message(2_00)
    terminal.line.feed(terminal.line.bytes_of(message))
    terminal.line.hang_up()
    await host.quiet()
    await host.memory_turn()
    terminal.line = host.connect(terminal.dialect)
    return message.fields[11]


async def test_an_answer_that_nobody_took_is_remembered(terminal: Terminal, host: HostInProcess, logs: Logs) -> None:
    stan = await lost(terminal, host)

    assert {stan: host.clock.now_ms()} == host.book(terminal.ids[41]).batches[-1].undelivered
    assert [stan] == [line["stan"] for line in logs if line["event"] == "answer_undelivered"]


async def test_its_reversal_settles_the_matter(terminal: Terminal, host: HostInProcess) -> None:
    stan = await lost(terminal, host)

    reversal = await terminal.reverse(terminal.purchase_message(2_00, f11=stan))

    assert "00" == reversal.code
    assert {} == host.book(terminal.ids[41]).batches[-1].undelivered


async def test_its_repeat_gets_the_answer(terminal: Terminal, host: HostInProcess) -> None:
    stan = await lost(terminal, host)

    repeat = await terminal.purchase(2_00, f11=stan)

    assert "00" == repeat.code
    assert 2 == len(host.book(terminal.ids[41]).batches[-1].answers)


async def test_a_declined_purchase_that_nobody_took_needs_nothing(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(1_00)
    terminal.line.feed(terminal.line.bytes_of(terminal.purchase_message(0)))
    terminal.line.hang_up()
    await host.quiet()

    assert {} == host.book(terminal.ids[41]).batches[-1].undelivered
