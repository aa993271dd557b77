"""What the host's books say otherwise, in words."""

from __future__ import annotations

from typing import Any

import pytest

from pos_terminal.scenarios.differences import batch_differences, event_differences
from pos_terminal.scenarios.expectations import Batch
from pos_terminal.scenarios.host_steps import value_at
from pos_terminal.scenarios.step_arguments import Side

BATCH: dict[str, Any] = {
    "number": "000001",
    "state": "settled",
    "result": "balanced",
    "currency": "CNY",
    "debit": {"count": 2, "amount_minor": 3000},
    "credit": {"count": 0, "amount_minor": 0},
}


def test_a_batch_that_is_as_expected_has_no_differences() -> None:
    wanted = Batch(
        number="000001", debit=Side(count=2, amount="30.00"), credit=Side(count=0, amount="0"), discrepancies=[]
    )

    assert [] == list(batch_differences("the batch", wanted, BATCH, []))


def test_each_difference_of_a_batch_is_a_sentence() -> None:
    wanted = Batch(state="open", debit=Side(count=1, amount="30.00"), discrepancies=["not_uploaded"])

    assert [
        "the batch: state was to be open, it is settled",
        "the batch: debit was to be 1 for 30.00, it is 2 for 30.00",
        "the batch: discrepancies not_uploaded were expected, there are amount_differs",
    ] == list(batch_differences("the batch", wanted, BATCH, ["amount_differs"]))


def test_a_batch_that_is_not_there_is_told() -> None:
    assert ["the batch: the host has none"] == list(batch_differences("the batch", Batch(), None, None))


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ([], []),
        (["sold", "settled"], []),
        (["settled", "sold"], ["event sold was expected there, what came: sold, voided, settled"]),
        (["reversed"], ["event reversed was expected, what came: sold, voided, settled"]),
    ],
)
def test_events_must_come_in_order_with_others_between_them(wanted: list[str], told: list[str]) -> None:
    assert told == list(event_differences(wanted, ["sold", "voided", "settled"]))


@pytest.mark.parametrize(
    ("path", "value"), [("items.0.state", "open"), ("items.1.state", None), ("items.state", None), ("other", None)]
)
def test_a_value_is_found_by_its_path(path: str, value: str | None) -> None:
    assert value == value_at({"items": [{"state": "open"}]}, path)
