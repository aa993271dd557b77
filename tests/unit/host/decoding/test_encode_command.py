"""`pos-host encode`: what `decode --json` printed, back to the same bytes."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.framings import FRAMINGS
from tests.properties.messages import DIALECTS, EXAMPLES, messages
from tests.unit.host.decoding.commands import documents, run
from tests.vectors.collection import DIALECTS as DIALECTS_OF_OTHERS
from tests.vectors.collection import Entry, entries, shipped_dialect

from pos_host.decoding.documents import document_bytes, message_document
from pos_host.decoding.recognise import read_as
from pos_specs.framing import Frame, join_frame
from pos_specs.language import open_language
from pos_specs.message import Message


def test_every_message_of_others_comes_back_to_its_bytes() -> None:
    hexes = [entry["hex"] for entry in entries("unionpay") if entry["length_prefix_ok"] is not False]
    hexes += [entry["hex"] for entry in entries("iso87") if shipped_dialect(entry) is not None]

    decoded = run("decode", "--json", lines="\n".join(hexes))
    encoded = run("encode", lines=decoded.stdout)

    assert (0, 0) == (decoded.exit_code, encoded.exit_code)
    assert hexes == encoded.stdout.splitlines()


@pytest.mark.parametrize("entry", [entry for entry in entries("iso87") if shipped_dialect(entry) is None])
def test_every_message_of_a_dialect_of_the_tests_own_comes_back_too(entry: Entry) -> None:
    dialect = ["--dialect", DIALECTS_OF_OTHERS[entry["spec"]]]

    decoded = run("decode", "--json", *dialect, entry["hex"])

    assert 0 == decoded.exit_code
    assert entry["hex"] == run("encode", *dialect, lines=decoded.stdout).stdout.strip()


@pytest.mark.parametrize("name", FRAMINGS)
def test_a_message_comes_back_in_every_framing_that_a_dialect_may_have(name: str) -> None:
    framing = FRAMINGS[name]
    language = open_language("iso87-ascii")
    tpdu = b"" if framing.tpdu == "none" else bytes.fromhex("6000030000")
    body = language.encode(Message("0800", {7: "0302120000", 11: "000001", 70: "301"}))
    hex_ = join_frame(framing, Frame(tpdu, framing.envelope.header.sent, body)).hex().upper()

    decoded = run("decode", "--json", hex_)

    assert 0 == decoded.exit_code, decoded.stderr
    assert hex_ == run("encode", lines=decoded.stdout).stdout.strip()


@pytest.mark.parametrize("letters", [str.upper, str.lower])
def test_the_letters_of_a_length_in_hex_digits_come_back_as_they_were(letters: Callable[[str], str]) -> None:
    body = b"0800" + b"0020000000c00000" + b"000001T0000001M00000000000001"
    hex_ = (letters(f"{len(body):04x}").encode() + body).hex().upper()

    decoded = run("decode", "--json", hex_)

    assert "hex4" == documents(decoded)[0]["framing"]["counter"]
    assert hex_ == run("encode", lines=decoded.stdout).stdout.strip()


def test_a_trailer_comes_back_also_behind_bytes_that_do_not_begin_at_the_length() -> None:
    (entry,) = [entry for entry in entries("iso87") if entry["name"] == "BASE24 0800 logon"]
    hex_ = entry["hex"][4:]

    decoded = run("decode", "--json", "--starts-at", "header", hex_)

    assert "03" == documents(decoded)[0]["framing"]["trailer_bytes"]
    assert hex_ == run("encode", lines=decoded.stdout).stdout.strip()


@pytest.mark.parametrize(
    "hex_",
    [
        "0820 0000000000000010 0011 00000001301F",
        (b"0800" + b"0020000000c00000" + b"000001T0000001M00000000000001").hex(),
        (b"0800" + b"8020000000000000" + b"0" * 16 + b"000001").hex(),
        (b"0066" + b"0800" + b"8020000000000000" + b"0" * 16 + b"000001").hex().replace("30303636", "30303432"),
    ],
)
def test_pads_and_bitmaps_that_are_not_ours_come_back_too(hex_: str) -> None:
    decoded = run("decode", "--json", hex_)

    assert hex_.replace(" ", "").upper() == run("encode", lines=decoded.stdout).stdout.strip()
    assert {"pads", "bitmap"} & documents(decoded)[0].keys()


@pytest.mark.parametrize("name", DIALECTS)
@EXAMPLES
@given(data=st.data())
def test_any_message_survives_being_a_document(name: str, data: st.DataObject) -> None:
    language = open_language(name)
    body = language.encode(data.draw(messages(name)))
    (reading,) = [found for found in read_as(body, [language], "mti")]
    assert reading.message is not None

    document = json.loads(json.dumps(message_document(reading, reading.message, mask=False)))

    assert body == document_bytes(document)


@pytest.mark.parametrize("trailer", ["", "03"])
def test_a_message_that_ends_like_a_trailer_comes_back_with_or_without_one(trailer: str) -> None:
    ends_in_03 = b"02004000000000000400014001\x03".hex().upper() + trailer

    decoded = run("decode", "--json", "--dialect", "base24-pos", "--starts-at", "mti", ends_in_03)

    assert "\x03" == documents(decoded)[0]["fields"]["54"]
    assert ends_in_03 == run("encode", lines=decoded.stdout).stdout.strip()


def test_the_framing_may_be_left_out_and_the_dialect_given() -> None:
    document = '{"mti": "0820", "fields": {"60": "00000001301", "41": "T0000001"}}'

    result = run("encode", "--dialect", "unionpay", document)

    assert "08200000000000800010" + b"T0000001".hex().upper() + "0011000000013010" == result.stdout.strip()


def test_a_length_is_counted_anew() -> None:
    document = '{"dialect": "iso87-ascii", "mti": "0800", "framing": {"length": 999}, "fields": {"11": "000001"}}'

    assert b"0026080000200000000000000000".hex() in run("encode", document).stdout.lower()


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "must be a JSON object"),
        ("{}", "names no dialect"),
        ('{"dialect": "klingon", "mti": "0800"}', "no such dialect"),
        ('{"dialect": "unionpay"}', "mti must be a text"),
        ('{"dialect": "unionpay", "mti": "08"}', "message type at byte 0: not four digits"),
        ('{"dialect": "unionpay", "mti": "0800", "fields": []}', "fields must be an object"),
        ('{"dialect": "unionpay", "mti": "0800", "fields": {"x": "1"}}', "is not an element number"),
        ('{"dialect": "unionpay", "mti": "0800", "fields": {"11": 1}}', "fields.11 must be a text"),
        ('{"dialect": "unionpay", "mti": "0800", "fields": {"11": "1"}}', "element 11: "),
        ('{"dialect": "unionpay", "mti": "0800", "fields": {"5": "1"}}', "element 5: not defined"),
        ('{"dialect": "unionpay", "mti": "0800", "framing": 1}', "framing must be an object"),
        ('{"dialect": "unionpay", "mti": "0800", "framing": {"starts_at": "x"}}', "framing.starts_at must be"),
        ('{"dialect": "unionpay", "mti": "0800", "framing": {"tpdu": "60"}}', "framing.tpdu must have 5 bytes"),
        ('{"dialect": "unionpay", "mti": "0800", "framing": {"header": "6"}}', "framing.header must be hex"),
        ('{"dialect": "unionpay", "mti": "0800", "bitmap": 5}', "bitmap must be hex"),
        ('{"dialect": "unionpay", "mti": "0800", "framing": {"length": 1, "counter": "x"}}', "framing.counter must be"),
        (
            '{"dialect": "unionpay", "mti": "0800", "framing": {"length": 1, "counter": "bcd2", "counts": 1}}',
            "framing.counts must be",
        ),
        (
            '{"dialect": "unionpay", "mti": "0800", "framing": {"length": 1, "counter": "bcd2", "trailer": "x"}}',
            "framing.trailer must be",
        ),
        ('{"error": {}, "fields": {}}', "could not be read"),
    ],
)
def test_a_document_that_is_no_message_is_refused_in_one_line(document: str, reason: str) -> None:
    result = run("encode", lines=document)

    assert 2 == result.exit_code
    assert reason in result.stderr
    assert 1 == len(result.stderr.splitlines())


def test_documents_after_a_bad_one_are_still_written() -> None:
    good = '{"dialect": "unionpay", "mti": "0820", "fields": {"41": "T0000001"}}'

    result = run("encode", lines=f"{good}\n[]\n{good}\n")

    assert (2, 2) == (result.exit_code, len(result.stdout.splitlines()))
    assert result.stderr.startswith("pos-host encode: line 2: ")
