"""What counts as the host's time: around midnight, across the year's end, and of an answer that came before."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pos_host.certification.checks.clocks import HostTime
from pos_host.certification.observed import Observed
from pos_host.certification.parameters import Parameters
from pos_host.certification.story import Story
from pos_host.exchanges import Exchange
from pos_specs.framing import Frame, join_frame
from pos_specs.language import open_language
from pos_specs.message import Message

HYPERCOM = open_language("hypercom")
TPDU = bytes.fromhex("6000030000")
NEW_YEAR_MS = int(datetime(2027, 1, 1, tzinfo=UTC).timestamp() * 1000)
STORY = Story("898000000000001", "T0000001", lambda merchant, terminal: None, ())


def seen(said: dict[int, str], told: dict[int, str], fault: str = "") -> Observed:
    """An adjust that says a time, and its answer that tells the host's."""
    request = Message("0220", dict(sorted({3: "020000", 11: "000001", 41: "T0000001", **said}.items())))
    reply = Message("0230", dict(sorted({3: "020000", 11: "000001", 39: "00", 41: "T0000001", **told}.items())))
    frames = [Frame(TPDU, b"", HYPERCOM.encode(message)) for message in (request, reply)]
    answer = join_frame(HYPERCOM.dialect.framing, frames[1])
    exchange = Exchange(
        1, NEW_YEAR_MS, "peer", HYPERCOM, frames[0], request, answer, "8" * 15, "T0000001", "adjust", "approved", ""
    )
    return Observed(exchange._replace(fault=fault), request)


def at(moment: str) -> dict[int, str]:
    date, time = moment.split()
    return {12: time, 13: date}


@pytest.mark.parametrize(
    ("said", "told", "right"),
    [
        (at("1231 235800"), at("0101 000200"), True),
        (at("1231 235500"), at("0101 000200"), False),
        (at("0101 000500"), at("1231 235959"), False),
        (at("0302 120000"), at("0101 000200"), True),
        (at("0302 130000"), at("0101 000200"), False),
        ({13: "1231"}, at("0101 000200"), True),
        ({13: "1231"}, at("0101 000700"), False),
        ({13: "0302"}, at("0101 000700"), True),
        (at("0230 120000"), at("0101 000200"), False),
        ({55: "9A03270101"}, at("0101 000200"), True),
        ({55: "9A03261231"}, at("0101 000200"), True),
        ({55: "9A03251231"}, at("0101 000200"), False),
        ({55: "9A03270102"}, at("0101 000200"), False),
    ],
    ids=str,
)
def test_a_time_is_the_hosts_where_it_is_near_its_own_or_one_that_it_told(
    said: dict[int, str], told: dict[int, str], right: bool
) -> None:
    check = HostTime(Parameters(most=5))
    check.see(STORY, seen({}, at("0302 120100")))
    check.see(STORY, seen(said, told))

    assert [right] == [finding.passed for finding in check.findings]


@pytest.mark.parametrize("said", [{55: "9A0327"}, {55: "9A03279999"}, {55: "00"}, {12: "120000"}], ids=str)
def test_what_says_no_date_is_not_judged(said: dict[int, str]) -> None:
    check = HostTime(Parameters(most=5))
    check.see(STORY, seen({}, at("0302 120100")))
    check.see(STORY, seen(said, at("0302 120200")))

    assert [] == check.findings


def test_nothing_is_judged_before_the_terminal_has_heard_the_time() -> None:
    check = HostTime(Parameters(most=5))
    check.see(STORY, seen(at("0709 080000"), at("0302 120100"), fault="no_reply"))
    check.see(STORY, seen(at("0709 080000"), at("0302 120100")))

    assert [] == check.findings
