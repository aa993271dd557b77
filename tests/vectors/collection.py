"""The messages of others as parameters of tests."""

import json
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

Entry = dict[str, Any]

FOLDER = Path(__file__).parent

_OWN = FOLDER / "dialects"

ALWAYS_128 = str(_OWN / "basei-always-128.toml")
"""The dialect that reads what stands under `hex_original`."""

DIALECTS = {
    "hypercom_bcd": "hypercom",
    "hypercom_bcd_n4": "hypercom",
    "hypercom_ebcdic_an": "hypercom-ebcdic",
    "ascii87": "iso87-ascii",
    "base24_pos": "base24-pos",
    "iso93a_recon": "iso93-ascii",
    "n3_left_pad_F": str(_OWN / "n3-left-f.toml"),
    "n3_right_pad_F": "hypercom-right-f",
    "pan_left_pad_0": "hypercom-left-pan",
    "ascii_binbitmap": str(_OWN / "ascii-binary-bitmap.toml"),
    "nao_basei": str(_OWN / "basei.toml"),
    "termapp_a": "termapp-a",
}
"""The dialect that reads the messages of a reference specification: ours, or one that extends one of ours."""

FOUR_NIBBLES = "hypercom_bcd_n4"
"""The specification that reads elements of three digits as four nibbles."""


def entries(name: str) -> list[Entry]:
    """Every entry of a file."""
    found: list[Entry] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return found


def parameters(name: str) -> list[ParameterSet]:
    """Every entry of a file, named in the test report."""
    return [pytest.param(entry, id=entry["name"]) for entry in entries(name)]


def shipped_dialect(entry: Entry) -> str | None:
    """The shipped dialect of a message in `iso87.json`, None when only one of the tests' own reads it."""
    if "99Bill" in entry["name"]:
        return "hypercom-99bill"
    name = DIALECTS[entry["spec"]]
    return None if name.endswith(".toml") else name


def iso87_body(entry: Entry) -> bytes:
    """A message of the 1987 or 1993 edition from the MTI on."""
    return bytes.fromhex(entry["iso_hex"])[len(entry["fields"].get("h", "")) :]


def unionpay_body(entry: Entry) -> bytes:
    """A UnionPay message from the MTI on."""
    data = bytes.fromhex(entry["hex"])
    headers = bytes.fromhex((entry["tpdu"] or "") + (entry["header"] or ""))
    return data[(2 if entry["framing"].startswith("len") else 0) + len(headers) :]
