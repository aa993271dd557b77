"""The last two steps before a log line is written: no card number passes, and no text of an exception."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from tests.unit.host.pipeline.proofs import assert_no_card
from tests.unit.host.pipeline.terminals import CARDS, UNIONPAY_CARD, VISA_CARD

from pos_host.log_setup import mask_cards, set_up_logging
from pos_host.logs import LEVELS


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Logs one line as JSON through the host's own chain and gives it back."""
    before = structlog.get_config()
    err = io.StringIO()
    monkeypatch.setattr(sys, "stderr", err)
    set_up_logging("info", "json")

    def write(event: str, **values: Any) -> dict[str, Any]:
        structlog.get_logger("test").error(event, **values)
        line: dict[str, Any] = json.loads(err.getvalue())
        return line

    yield write
    structlog.configure(**before)


@pytest.mark.parametrize("pan", CARDS)
def test_a_card_number_is_masked_wherever_it_stands(pan: str) -> None:
    line = {"reason": f"got {pan}", "deep": [{"it": (pan, f"x{pan}y")}], "track": f"{pan}=3012", "n": 5, "none": None}

    masked = mask_cards(None, "info", line)

    assert_no_card(repr(masked))
    assert (5, None) == (masked["n"], masked["none"])


def test_a_merchant_id_of_fifteen_digits_is_no_card() -> None:
    assert "898310000000001" == mask_cards(None, "info", {"merchant_id": "898310000000001"})["merchant_id"]


def test_what_cannot_be_looked_into_is_hidden() -> None:
    class Opaque:
        def __repr__(self) -> str:
            return UNIONPAY_CARD

    assert "(Opaque)" == mask_cards(None, "info", {"thing": Opaque()})["thing"]


def test_an_exception_is_told_by_its_type_and_places_only(written: Any) -> None:
    try:
        raise ValueError(f"bad card {VISA_CARD}")
    except ValueError as error:
        line = written("internal_error", exc_info=error)

    assert "ValueError" == line["error"]
    assert [place for place in line["at"] if place.startswith("test_log_masking.py:")]
    assert_no_card(json.dumps(line))


def test_a_line_says_when_and_how_grave(written: Any) -> None:
    line = written("something", terminal_id="T0000001")

    assert ("something", "error", "T0000001") == (line["event"], line["level"], line["terminal_id"])
    assert line["timestamp"].endswith("Z")


def test_the_levels_are_those_of_the_command_line() -> None:
    assert ["debug", "info", "warning", "error"] == list(LEVELS)
