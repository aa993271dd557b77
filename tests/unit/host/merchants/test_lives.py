"""A life's table, and what it says of a way that it does not have."""

import pytest

from pos_host.merchants.lives import Life, NotNow

PAPER = Life(
    "order_paper",
    "written",
    {"written": {"sign": "signed", "tear": "torn"}, "signed": {"tear": "torn"}, "torn": {}},
)


def test_an_action_leads_where_the_table_says() -> None:
    assert ("signed", "torn") == (PAPER.after("written", "sign"), PAPER.after("signed", "tear"))


def test_a_way_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(NotNow) as refused:
        PAPER.after("signed", "sign")

    assert ("tear",) == refused.value.possible
    assert "sign is not possible for an order paper that is signed; possible is tear" == str(refused.value)


def test_at_an_end_nothing_is_possible() -> None:
    assert (True, False) == (PAPER.ended("torn"), PAPER.ended("signed"))
    with pytest.raises(NotNow, match="possible is nothing"):
        PAPER.after("torn", "sign")


def test_a_table_that_leads_nowhere_is_no_life() -> None:
    with pytest.raises(ValueError, match="lost has no row"):
        Life("paper", "written", {"written": {"mislay": "lost"}})


def test_the_diagram_has_every_way_its_beginning_and_its_ends() -> None:
    assert [
        "stateDiagram-v2",
        "    [*] --> written",
        "    written --> signed: sign",
        "    written --> torn: tear",
        "    signed --> torn: tear",
        "    torn --> [*]",
    ] == PAPER.diagram().splitlines()
