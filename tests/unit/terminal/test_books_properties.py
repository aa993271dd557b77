"""Whatever a shop does and whichever answers get lost, terminal and host agree in the end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.messages import EXAMPLES
from tests.unit.host.pipeline.host_in_process import HostInProcess, Line
from tests.unit.terminal.scripted_host import a_terminal
from tests.unit.terminal.test_against_a_host import a_host, assert_same_books, assert_verified

from pos_terminal.batch_log import NotInLog
from pos_terminal.cards import TEST_CARDS
from pos_terminal.commands import Command, Forward, Reverse, Settle, Void
from pos_terminal.exchange import Result
from pos_terminal.states import NotNow
from pos_terminal.terminal import Terminal
from pos_terminal.trading import SHARES, Intent, commands_for

CARDS = [TEST_CARDS[name] for name in ("unionpay", "unionpay-credit", "visa", "mastercard")]
UNDONE = {"completion_void", "refund_void", "auth_void"}


class Deed(NamedTuple):
    """Something a shop does; `lost` are the answers that do not arrive, by their place among the deed's."""

    intent: Intent
    lost: frozenset[int]


deeds = st.builds(
    Deed,
    st.builds(
        Intent,
        st.sampled_from(["purchase", *SHARES, *sorted(UNDONE)]),
        st.sampled_from(CARDS),
        st.integers(1, 99_999),
        st.floats(0, 1, exclude_max=True),
    ),
    st.frozensets(st.integers(0, 3), max_size=2),
)


async def perform(terminal: Terminal, line: Line, command: Command, lost: set[int]) -> Result:
    """Carry out a command; the answers at the places in `lost` are not handed over, and places move on."""
    terminal.begin(command)
    while (request := terminal.next_request()) is not None:
        answer = await line.ask(request.mti, request.fields)
        missing = 0 in lost
        moved = {place - 1 for place in lost if place > 0}
        lost.clear()
        lost.update(moved)
        if missing or terminal.receive(answer) is None:
            terminal.no_answer()
    assert terminal.result is not None
    return terminal.result


async def do(terminal: Terminal, line: Line, deed: Deed) -> None:
    lost = set(deed.lost)
    with suppress(NotInLog, NotNow):
        if deed.intent.function in UNDONE:
            await perform(terminal, line, Void("", function=deed.intent.function), lost)
            return
        dialect = terminal.language.dialect
        for command in commands_for(deed.intent, terminal.memory, "156", dialect):
            await perform(terminal, line, command, lost)


async def live(dialect: str, todo: list[Deed]) -> tuple[HostInProcess, Result]:
    host = a_host("verify")
    terminal, line = a_terminal(dialect), host.connect(dialect)
    for deed in todo:
        if deed.intent.function in UNDONE and not any(
            rule.name == deed.intent.function for rule in terminal.language.dialect.functions
        ):
            continue
        await do(terminal, line, deed)
    await perform(terminal, line, Reverse(), set())
    await perform(terminal, line, Forward(), set())
    result = await perform(terminal, line, Settle(), set())
    await assert_verified(host)
    return host, result


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom", "iso87-ascii", "iso93-ascii", "base24-pos"])
@EXAMPLES
@given(todo=st.lists(deeds, max_size=12))
def test_the_books_agree_whatever_is_done_and_lost(dialect: str, todo: list[Deed]) -> None:
    host, result = asyncio.run(live(dialect, todo))

    assert_same_books(host, result, "balanced")
