"""`pos-host dialects import-moov`: a specification of moov-io/iso8583 becomes a dialect; what cannot is listed."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.host.decoding.commands import run

from pos_specs.language import Language
from pos_specs.loader import read_dialect
from pos_specs.message import Message

SAMPLE = Path(__file__).parent / "packagers" / "mybank.json"
HEAD = {
    "0": {"type": "String", "length": 4, "enc": "BCD", "prefix": "BCD.Fixed"},
    "1": {"type": "Bitmap", "enc": "Binary", "prefix": "Binary.Fixed"},
    "39": {"type": "String", "length": 2, "enc": "ASCII", "prefix": "ASCII.Fixed"},
}


@pytest.fixture
def sample(tmp_path: Path) -> Language:
    file = tmp_path / "made.toml"
    file.write_text(run("dialects", "import-moov", str(SAMPLE)).stdout, "utf-8")
    return Language(read_dialect(file))


def given(folder: Path, fields: dict[str, Any] | str) -> Path:
    file = folder / "given.json"
    file.write_text(fields if isinstance(fields, str) else json.dumps({"name": "x", "fields": fields}), "utf-8")
    return file


def test_the_sample_becomes_a_dialect_that_check_finds_good(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(run("dialects", "import-moov", "--name", "ours", str(SAMPLE)).stdout, "utf-8")

    result = run("dialects", "check", str(file))

    assert result.stdout.startswith("mine.toml: ours, 19 elements, 3 functions, ")


def test_what_is_not_carried_over_is_listed() -> None:
    lines = run("dialects", "import-moov", str(SAMPLE)).stderr.splitlines()

    assert [
        "fields.48.02: under its tag is not carried over",
        "fields.56: Binary HexToASCII ASCII.LL is not carried over",
        "fields.60: Track2 Morse ASCII.LL is not carried over",
        "fields.63.4: in the bitmap of fields.63 is not carried over",
    ] == [line.removeprefix("pos-host dialects: mybank.json: ") for line in lines]


def test_elements_are_written_as_the_specification_says(sample: Language) -> None:
    fields = {2: "6222", 11: "000007", 23: "001", 32: "123", 53: "00112233AABBCCDD", 54: "AB", 55: "9A03260302"}

    data = sample.encode(Message("0200", fields))

    bitmap = b"4020020100000E00" + b"0" * 16
    expected = b"0200" + bitmap + b"046222" + b"000007" + bytes.fromhex("0001 03 1230") + b"00112233AABBCCDD"
    assert expected + bytes.fromhex("F0F0F2 C1C2 05 9A03260302") == data
    assert fields == sample.decode(data).fields


def test_composites_become_parts(sample: Language) -> None:
    within = bytes.fromhex("6000000000000000") + b"05key-1" + b"0042"
    message = Message(
        "0200", {43: f"{'A shop':<25}{'A town':<13}CN", 48: "01AB", 55: "9A03260302", 63: within.hex().upper()}
    )

    assert {"shop": f"{'A shop':<25}", "town": f"{'A town':<13}", "country": "CN"} == sample.parts.of(message, 43)
    assert {"kind": "AB"} == sample.parts.of(message, 48)
    assert {"9A": "260302"} == sample.parts.of(message, 55)
    assert {"switch_key": "key-1", "route": "0042"} == sample.parts.of(message, 63)


def test_a_bitmap_that_does_not_expand_has_128_bits_always(sample: Language) -> None:
    assert "always" == sample.dialect.wire.second_bitmap


REFUSED = [
    # the file, the reason
    ("", "not JSON: "),
    ("[]", "the file: must be an object"),
    ('{"fields": 5}', "the file: fields must be an object"),
    ({}, "fields.0: the message type is missing"),
    ({"0": HEAD["0"]}, "fields.1: the bitmap is missing"),
    ({**HEAD, "1": {"enc": "ASCII"}}, "fields.1: the bitmap is missing, or in no encoding known here"),
    ({"0": HEAD["0"], "1": HEAD["1"]}, "has no data element that can be carried over"),
    ({**HEAD, "pan": {}}, "fields.pan: is not a field number"),
    ({**HEAD, "2": []}, "fields.2: must be an object"),
    ({**HEAD, "2": {"length": "19", "enc": "ASCII", "prefix": "ASCII.LL"}}, "fields.2.length: must be a whole number"),
    ({**HEAD, "2": {"enc": 5}}, "fields.2.enc: must be a text"),
    (" " * 1_000_001, "has more than 1000000 bytes"),
    ("[" * 100_000, "not JSON: "),
]


@pytest.mark.parametrize(("fields", "reason"), REFUSED, ids=[reason[:40] for _, reason in REFUSED])
def test_what_is_no_specification_is_refused_in_one_line(
    tmp_path: Path, fields: dict[str, Any] | str, reason: str
) -> None:
    result = run("dialects", "import-moov", str(given(tmp_path, fields)))

    assert (2, "") == (result.exit_code, result.stdout)
    assert result.stderr.startswith(f"pos-host dialects: given.json: {reason}")
    assert 1 == len(result.stderr.splitlines())


NOTED = [
    ({"65": HEAD["39"]}, "fields.65: an element of this number is not supported"),
    ({"5": {**HEAD["39"], "prefix": "Hex.LL"}}, "fields.5: String ASCII Hex.LL is not carried over"),
    ({"5": {**HEAD["39"], "length": 0}}, "fields.5: a fixed length of 0 is not carried over"),
    ({"5": {**HEAD["39"], "length": 5000}}, "fields.5: a fixed length of 5000 is not carried over"),
    (
        {"5": {**HEAD["39"], "length": 500, "prefix": "ASCII.LL"}},
        "fields.5: length 500 is more than its prefix can say; 99 is taken",
    ),
]


@pytest.mark.parametrize(("fields", "note"), NOTED, ids=[note[:40] for _, note in NOTED])
def test_a_field_that_does_not_fit_is_noted_and_the_rest_carried_over(
    tmp_path: Path, fields: dict[str, Any], note: str
) -> None:
    result = run("dialects", "import-moov", str(given(tmp_path, {**HEAD, **fields})))

    assert (0, f"pos-host dialects: given.json: {note}\n") == (result.exit_code, result.stderr)
    assert "[elements]" in result.stdout
