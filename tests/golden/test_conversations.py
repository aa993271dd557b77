"""Whole conversations as text, byte for byte. `make golden` writes them anew; the diff is reviewed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.golden.conversation import RULE, play
from tests.unit.host.pipeline.proofs import assert_no_card

REWRITE = bool(os.environ.get("POS_REWRITE_GOLDEN"))
CONVERSATIONS = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("path", CONVERSATIONS, ids=lambda path: path.stem)
def test_a_conversation_goes_as_it_is_written(path: Path) -> None:
    with capture_logs():
        played = asyncio.run(play(path))
    if REWRITE:
        path.write_text(played, "utf-8")

    assert path.read_text("utf-8") == played


@pytest.mark.parametrize("path", CONVERSATIONS, ids=lambda path: path.stem)
def test_no_card_number_stands_in_a_conversation(path: Path) -> None:
    assert_no_card(path.read_text("utf-8"))


def test_both_settlement_flows_and_iso87_are_written() -> None:
    names = {path.stem for path in CONVERSATIONS}

    for dialect in ("unionpay", "hypercom"):
        for end in ("balanced", "balanced_after_upload", "out_of_balance"):
            assert f"{dialect}_{end}" in names
    assert "iso87" in names
    assert all(RULE in path.read_text("utf-8") for path in CONVERSATIONS)
