"""docs/test-cards.md is held against the table of cards and the dialects' codes."""

from __future__ import annotations

import re
from pathlib import Path

from pos_specs import test_cards
from pos_specs.language import open_language
from pos_specs.vocabulary import CARD_OUTCOMES

PAGE = (Path(__file__).parents[2] / "docs" / "test-cards.md").read_text("utf-8")
DIALECTS = ("unionpay", "hypercom", "iso87-ascii", "iso93-ascii")
ROW = re.compile(r"\| `-([a-z-]+)`[^|]*\| `(\w+)`[^|]*\| (\S+) \| (\S+) \| (\S+) \| (\S+) \|")


def test_every_card_of_an_answer_stands_there_with_the_codes_of_the_dialects() -> None:
    rows = ROW.findall(PAGE)

    assert {*CARD_OUTCOMES} - {"approved", "cryptogram_wrong"} == {outcome for _, outcome, *_ in rows}
    for suffix, outcome, *codes in rows:
        assert test_cards.find_test_card(f"unionpay-{suffix}") is not None, suffix
        assert test_cards.find_test_card(f"visa-{suffix}") is not None, suffix
        dialects = [open_language(name).dialect for name in DIALECTS]
        assert codes == [dialect.outcomes.get(outcome, "–") for dialect in dialects], outcome


def test_every_card_is_named() -> None:
    names = [card.name for card in test_cards.shipped_test_cards().values()]
    words = set(re.findall(r"`([a-z0-9-]+)`", PAGE))
    schemes = {name.partition("-")[0] for name in names}

    assert [] == [
        name
        for name in names
        if name not in words and not any(name == f"{scheme}{word}" for scheme in schemes for word in words)
    ]
