"""The messages of others as parameters of tests."""

import json
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

Entry = dict[str, Any]

FOLDER = Path(__file__).parent

DIALECTS = {"hypercom_bcd": "hypercom", "hypercom_bcd_n4": "hypercom", "ascii87": "iso87-ascii"}
"""The dialect of ours that reads the messages of a reference specification."""

FOUR_NIBBLES = "hypercom_bcd_n4"
"""The specification that reads elements of three digits as four nibbles."""


def entries(name: str) -> list[Entry]:
    """Every entry of a file."""
    found: list[Entry] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return found


def parameters(name: str) -> list[ParameterSet]:
    """Every entry of a file, named in the test report."""
    return [pytest.param(entry, id=entry["name"]) for entry in entries(name)]


def unionpay_body(entry: Entry) -> bytes:
    """A UnionPay message from the MTI on."""
    data = bytes.fromhex(entry["hex"])
    headers = bytes.fromhex((entry["tpdu"] or "") + (entry["header"] or ""))
    return data[(2 if entry["framing"].startswith("len") else 0) + len(headers) :]
