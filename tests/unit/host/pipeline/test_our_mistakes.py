"""What we do wrong is answered 96, told loudly, and stops nobody else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import books
from tests.unit.host.pipeline.terminals import UNIONPAY_CARD, HypercomTerminal, Iso87Terminal, UnionPayTerminal


def broken(*arguments: Any) -> Any:
    raise ZeroDivisionError(f"a secret: {UNIONPAY_CARD}")


@pytest.mark.parametrize("kind", [UnionPayTerminal, HypercomTerminal, Iso87Terminal])
async def test_a_handler_that_fails_is_answered_96_and_leaves_nothing(kind: type[UnionPayTerminal]) -> None:
    host = HostInProcess()
    terminal = kind(host)
    await terminal.purchase(1_00)
    before, entries = books(host.registry), len(host.memory.entries)
    handlers = host.pipeline._router.handlers
    handlers["purchase"], whole = broken, handlers["purchase"]

    with capture_logs() as logs:
        failed = await terminal.purchase(2_00)

    assert "96" == failed.code
    assert (before, entries) == (books(host.registry), len(host.memory.entries))
    (line,) = [line for line in logs if line["event"] == "internal_error"]
    assert ("ZeroDivisionError", "purchase", failed.stan) == tuple(line[key] for key in ("reason", "function", "stan"))
    handlers["purchase"] = whole
    assert "00" == (await terminal.purchase(3_00)).code


async def test_a_watcher_that_fails_costs_no_answer_and_keeps_nobody_else_from_watching() -> None:
    host = HostInProcess()
    terminal = UnionPayTerminal(host)
    seen: list[str] = []
    host.pipeline.exchanges.watchers += [broken, lambda exchange: seen.append(exchange.function)]

    with capture_logs() as logs:
        answers = [await terminal.purchase(1_00), await terminal.purchase(2_00)]

    assert ["00", "00"] == [answer.code for answer in answers]
    assert "purchase" in seen
    told = [line["reason"] for line in logs if line["event"] == "watcher_failed"]
    assert len(seen) == len(told)
    assert {"ZeroDivisionError"} == set(told)


async def test_requests_that_wait_behind_a_failure_have_their_turn() -> None:
    host = HostInProcess()
    terminal = UnionPayTerminal(host)
    await terminal.sign_in()
    host.pipeline._router.handlers["purchase"] = broken
    messages = [terminal.purchase_message(1_00) for _ in range(200)]
    echo = terminal.message("0820", {60: "00000001301"}, {})
    data = b"".join(terminal.line.bytes_of(message) for message in (*messages, echo))

    with capture_logs():
        answers = await terminal.line.ask_raw(data, expect=201)

    assert ["96"] * 200 + ["00"] == [answer.fields[39] for answer in answers]


async def test_a_broken_invariant_stops_its_own_terminal_and_no_other() -> None:
    """The commit holds it, but the book cannot take it over: the store is right and this book is not."""
    host = HostInProcess()
    terminals = [UnionPayTerminal(host, f"T{number:07d}") for number in range(3)]
    for terminal in terminals:
        await terminal.sign_in()

    with capture_logs() as logs:
        for terminal in terminals:
            terminal.line.feed(terminal.line.bytes_of(terminal.purchase_message(1_00)))
        await asyncio.sleep(0)  # decided, not yet committed
        host.book("T0000001").batches.clear()
        await host.quiet()

    assert [False, True, False] == [terminal.line.closed for terminal in terminals]
    assert ["00", "00"] == [terminals[place].line.answers[-1].fields[39] for place in (0, 2)]
    assert ["T0000001"] == [line["terminal_id"] for line in logs if line["event"] == "books_damaged"]
    again = UnionPayTerminal(host.twin(), "T0000001")
    again.stan = 1
    assert "00" == (await again.purchase(1_00)).code, "after a restart the terminal trades on"
