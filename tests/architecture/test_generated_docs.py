"""What is generated in the documents is what the code says: diagrams of lives, operations, verbs, rights."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tools.generate_docs import FOLDER, all_lives, generated

PAGES = sorted(FOLDER.glob("*.md"))


def test_what_is_generated_is_as_the_code_says() -> None:
    stale = [page.name for page, text in generated().items() if not page.exists() or page.read_text("utf-8") != text]

    assert [] == stale, "make docs writes them anew"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_diagram_of_states_stands_between_markers(page: Path) -> None:
    text = page.read_text("utf-8")

    assert text.count("stateDiagram-v2") == len(re.findall(r"<!-- life: \w+ -->", text))


def test_everything_that_has_states_is_found() -> None:
    assert {"payout", "agreement", "user", "settlement_account_change", "terminal"} <= all_lives().keys()


@pytest.mark.parametrize("name", sorted(all_lives()))
def test_every_state_of_a_life_can_be_reached(name: str) -> None:
    life, _ = all_lives()[name]
    reached, open_ends = {life.initial}, [life.initial]
    while open_ends:
        for state in life.table[open_ends.pop()].values():
            if state not in reached:
                reached.add(state)
                open_ends.append(state)

    assert set(life.table) == reached
