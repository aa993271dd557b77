"""A terminal's clock follows the host's, in which year ever; and it does not follow every second."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from pos_specs.language import open_language
from pos_specs.message import Message, reply_mti
from pos_terminal.cards import TEST_CARDS
from pos_terminal.commands import Manage, Purchase
from pos_terminal.host_time import MOST_DIFFERENCE_S, seconds_ahead
from pos_terminal.memory import Memory, memory_from, memory_table
from pos_terminal.pin_pad import PadSettings
from pos_terminal.terminal import Terminal

NOON = datetime(2026, 3, 2, 12, 0, 0)


@pytest.mark.parametrize(
    ("date", "time", "own", "ahead_s"),
    [
        ("0302", "120000", NOON, 0),
        ("0302", "200000", NOON, 8 * 3600),
        ("0302", "200000", NOON.replace(tzinfo=timezone(timedelta(hours=5))), 8 * 3600),
        ("0301", "235959", datetime(2026, 3, 2, 0, 0, 1), -2),
        ("0101", "000010", datetime(2026, 12, 31, 23, 59, 50), 20),
        ("1231", "235950", datetime(2027, 1, 1, 0, 0, 10), -20),
        ("0229", "120000", datetime(2028, 2, 29, 11, 59, 0), 60),
        ("0229", "120000", datetime(2027, 3, 1, 12, 0, 0), None),
        ("0230", "120000", NOON, None),
        ("0302", "240000", NOON, None),
        ("", "", NOON, None),
        ("0302", "", NOON, None),
        ("03-2", "120000", NOON, None),
    ],
)
def test_the_hosts_time_is_taken_in_the_nearest_year(date: str, time: str, own: datetime, ahead_s: int | None) -> None:
    assert ahead_s == seconds_ahead(date, time, own)


def answered(terminal: Terminal, time: str, code: str = "00") -> None:
    """The next request is answered as a host does whose clock says `time` on 2 March."""
    request = terminal.next_request()
    assert request is not None
    echoed = {number: value for number, value in request.fields.items() if number in (3, 4, 11, 41, 42, 60)}
    answer = {**echoed, 12: time, 13: "0302", 37: "000000000001", 39: code}
    terminal.receive(Message(reply_mti(request.mti), dict(sorted(answer.items()))))


def iso87_terminal(memory: Memory) -> Terminal:
    return Terminal(open_language("iso87-ascii"), memory, lambda: NOON, pad=PadSettings(uses_mac=False))


def test_an_answer_that_echoes_the_time_of_the_request_sets_no_clock() -> None:
    memory = Memory("iso87-ascii", "I0000001", "898000000000001", clock_ahead_s=3_600)
    terminal = iso87_terminal(memory)
    terminal._follow_clock(Message("0320", {12: "080000", 13: "0302"}), Message("0330", {12: "080000", 13: "0302"}))

    assert 3_600 == memory.clock_ahead_s


@pytest.mark.parametrize(
    ("time", "code", "sent"),
    [
        ("200000", "00", "200000"),
        ("200000", "05", "120000"),
        ((NOON + timedelta(seconds=MOST_DIFFERENCE_S)).strftime("%H%M%S"), "00", "120000"),
    ],
)
def test_what_is_sent_next_has_the_time_of_an_approval_that_was_heard(time: str, code: str, sent: str) -> None:
    memory = Memory("iso87-ascii", "I0000001", "898000000000001")
    terminal = iso87_terminal(memory)
    terminal.begin(Manage("echo"))
    answered(terminal, time, code)

    again = iso87_terminal(memory_from(memory_table(memory)))
    again.begin(Purchase(TEST_CARDS["visa"], 1_000, "156"))
    request = again.next_request()
    assert request is not None
    assert sent == request.fields[12]
