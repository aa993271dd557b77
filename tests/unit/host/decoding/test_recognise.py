"""Which dialect is named first, by the message alone and by what stands around it."""

import time
from dataclasses import replace

import pytest
from tests.properties.framings import FRAMINGS
from tests.unit.host.decoding.commands import documents, run
from tests.vectors.collection import FOLDER, Entry, entries, iso87_body, parameters, shipped_dialect, unionpay_body

from pos_host.decoding.recognise import fitting, read_as, read_framed_otherwise
from pos_specs.envelope import Framing
from pos_specs.framing import Frame, join_frame
from pos_specs.language import Language, open_language, shipped_languages
from pos_specs.message import Message

SALE = Message("0200", {3: "000000", 4: "000000001000", 11: "000101", 24: "003", 41: "T0000001", 42: "M00000000000001"})
ECHO = Message("0800", {7: "0302120000", 11: "000001", 70: "301"})
TPDU = bytes.fromhex("6000030000")

NEAREST = {
    "nao_basei": {"iso87-ascii"},
    "n3_left_pad_F": {"hypercom"},
    "ascii_binbitmap": {"postilion"},
}
"""Dialects of the tests' own are not known to the command; it names the one they extend, or one written alike."""

EITHER = {
    "HPDH 0800 cut-off request (DE70=201)": {"hypercom", "hypercom-ebcdic"},
    "constructed: 0800 test 990000": {"hypercom", "hypercom-ebcdic"},
}
"""Messages without text, or with digits alone in it: nothing in them tells EBCDIC from ASCII."""


def first(data: bytes, starts_at: str | None = None) -> str:
    return read_as(data, shipped_languages(), starts_at, own_framing_only=False)[0].language.name


@pytest.mark.parametrize("entry", parameters("unionpay"))
def test_a_unionpay_message_without_its_framing_is_still_unionpay(entry: Entry) -> None:
    assert "unionpay" == first(unionpay_body(entry))


WHOLE = [entry for entry in parameters("iso87") if shipped_dialect(entry.values[0])]  # type: ignore[arg-type]


@pytest.mark.parametrize("entry", WHOLE)
def test_a_message_is_of_the_dialect_it_was_sent_in(entry: Entry) -> None:
    expected = shipped_dialect(entry)

    assert expected == first(bytes.fromhex(entry["hex"]))


TELLING_BY_HEADER = {"base24-pos", "hypercom-99bill", "termapp-a"}


@pytest.mark.parametrize(
    "entry",
    [entry for entry in WHOLE if shipped_dialect(entry.values[0]) not in TELLING_BY_HEADER],  # type: ignore[arg-type]
)
def test_a_message_without_its_framing_is_of_its_dialect_or_of_one_that_reads_it_alike(entry: Entry) -> None:
    expected = EITHER.get(entry["name"], {shipped_dialect(entry)})

    assert first(iso87_body(entry)) in expected


OTHERS = [entry for entry in parameters("iso87") if entry.values[0]["spec"] in NEAREST]  # type: ignore[index, call-overload]


@pytest.mark.parametrize("entry", OTHERS)
def test_a_message_of_a_dialect_that_is_not_shipped_is_of_the_nearest_one(entry: Entry) -> None:
    assert first(bytes.fromhex(entry["hex"])) in NEAREST[entry["spec"]]


def test_every_message_of_the_collection_is_recognised_in_one_of_these_tests() -> None:
    assert len(entries("iso87")) == len(WHOLE) + len(OTHERS)


def test_all_messages_are_recognised_in_a_moment() -> None:
    messages = [bytes.fromhex(entry["hex"]) for entry in (*entries("unionpay"), *entries("iso87"))]
    languages = shipped_languages()

    begin = time.process_time()
    for data in messages:
        read_as(data, languages, own_framing_only=False)

    assert (time.process_time() - begin) / len(messages) < 0.05


def _framed(language: Language, framing: Framing, message: Message) -> bytes:
    tpdu = b"" if framing.tpdu == "none" else TPDU
    return join_frame(framing, Frame(tpdu, framing.envelope.header.sent, language.encode(message)))


def _in(dialect: str, framing: Framing) -> Language:
    return Language(replace(open_language(dialect).dialect, framing=framing))


@pytest.mark.parametrize("name", FRAMINGS)
@pytest.mark.parametrize("start", ["length", "tpdu", "header", "mti"])
def test_where_the_bytes_begin_can_be_told_in_every_framing(name: str, start: str) -> None:
    framing = FRAMINGS[name]
    language = _in("iso87-ascii", framing)
    frame = _framed(language, framing, ECHO)
    body, tpdu = language.encode(ECHO), b"" if framing.tpdu == "none" else TPDU
    header, trail = framing.envelope.header.sent, frame[len(frame) - framing.envelope.trail_bytes :]
    given = {"length": frame, "tpdu": tpdu + header + body, "header": header + body, "mti": body}[start]
    trail = trail if framing.envelope.trail_bytes else b""

    for data in {given, given if start == "length" else given + trail}:
        readings = read_as(data, [language], start)
        if (start == "tpdu" and not tpdu) or (start == "header" and not header):
            assert [] == [reading for reading in readings if reading.error is None and reading.frame.header == b""]
            continue
        best = readings[0]
        assert (None, ECHO) == (best.error, best.message)
        assert (header if start != "mti" else b"") == best.frame.header
        assert body == best.frame.body == data[best.body_offset : best.body_offset + len(body)]


@pytest.mark.parametrize("name", FRAMINGS)
def test_a_framing_that_is_not_the_dialects_own_is_recognised(name: str) -> None:
    framing = FRAMINGS[name]
    binary_may_hold_the_end = framing.length == "none"
    language = open_language("iso87-ascii" if binary_may_hold_the_end else "hypercom")
    message = ECHO if binary_may_hold_the_end else SALE
    data = _framed(language, framing, message)

    readings = read_framed_otherwise(data, shipped_languages())

    found = [reading for reading in readings if reading.language.name == language.name]
    assert (message, language.encode(message)) == (found[0].message, found[0].frame.body)


@pytest.mark.parametrize("length", ["binary2-le", "ascii4", "binary4", "bcd2"])
def test_several_frames_in_a_strange_framing_are_several_messages(length: str) -> None:
    language = open_language("hypercom")
    framing = replace(language.dialect.framing, length=length)
    frame = _framed(language, framing, SALE)

    found = documents(run("decode", "--json", (frame + frame).hex()))

    assert ["0200", "0200"] == [document["mti"] for document in found]
    assert [length, length] == [document["framing"]["counter"] for document in found]


def test_with_its_dialect_named_a_frame_must_be_framed_as_the_dialect_says() -> None:
    language = open_language("hypercom")
    frame = _framed(language, replace(language.dialect.framing, length="binary2-le"), SALE)

    assert 0 == run("decode", frame.hex()).exit_code
    refused = run("decode", "--dialect", "hypercom", frame.hex())

    assert 2 == refused.exit_code
    assert 'try a dialect that extends hypercom with [framing] length = "binary2-le"' in refused.stderr


def test_an_own_dialect_is_a_candidate_like_a_shipped_one() -> None:
    own = open_language(str(FOLDER / "dialects" / "ascii-binary-bitmap.toml"))
    (entry,) = [entry for entry in entries("iso87") if entry["spec"] == "ascii_binbitmap"]

    readings = read_as(bytes.fromhex(entry["hex"]), [open_language("unionpay"), own])

    assert ["ascii-binary-bitmap"] == fitting(readings)
