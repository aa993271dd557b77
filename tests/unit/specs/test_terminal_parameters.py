"""What a terminal is told about itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pos_specs.errors import DialectError
from pos_specs.language import open_language
from pos_specs.terminal_parameters import (
    ParameterError,
    TerminalParameters,
    merchant_text,
    read_terminal_parameters,
    shipped_terminal_parameters,
    tagged,
)

LAYOUT = next(
    layout for layout in open_language("unionpay").dialect.layouts[62] if layout.name == "terminal_parameters"
)


def test_every_shipped_parameter_fits_the_tag_that_unionpay_has_for_it() -> None:
    shipped = shipped_terminal_parameters()

    data = tagged(shipped, LAYOUT, "gbk")

    named = [part for part in LAYOUT.tags.values() if part.name in shipped.by_name]
    assert len(shipped.by_name) == len(named)
    assert sum(2 + part.length for part in named) == len(data)


def test_texts_are_filled_up_and_chinese_is_two_bytes() -> None:
    data = tagged(TerminalParameters({"timeout_seconds": "60", "merchant_name": "商户"}, ()), LAYOUT, "gbk")

    assert b"1260" + b"22" + "商户".encode("gbk") + b" " * 36 == data


def test_bytes_are_given_in_hex() -> None:
    assert b"26\x01\x02\x03\x04" == tagged(
        TerminalParameters({"supported_transactions": "01020304"}, ()), LAYOUT, "gbk"
    )


@pytest.mark.parametrize(("name", "value"), [("timeout_seconds", "6"), ("merchant_name", "x" * 41)])
def test_a_value_that_does_not_fit_its_tag_is_refused(name: str, value: str) -> None:
    with pytest.raises(ParameterError, match=f"{name} has {len(value)} bytes, its tag takes"):
        tagged(TerminalParameters({name: value}, ()), LAYOUT, "gbk")


def test_the_merchants_lines_are_three_of_23_characters() -> None:
    text = merchant_text(replace(shipped_terminal_parameters(), merchant_lines=("ONE", "TWO")))

    assert ["ONE", "TWO", ""] == [text[start : start + 23].rstrip() for start in (0, 23, 46)]
    assert 69 == len(text)


@pytest.mark.parametrize("line", ["x" * 24, "商户"])
def test_a_line_that_no_receipt_takes_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "parameters.toml"
    path.write_text(f'[merchant]\nlines = ["{line}"]\n', "utf-8")

    with pytest.raises(DialectError, match=r"parameters.toml:2: merchant.lines: must be at most 3 lines of 23 ASCII"):
        read_terminal_parameters(path)
