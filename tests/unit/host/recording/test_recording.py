"""What a recording keeps of the messages, and what never gets into it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.vectors.collection import DIALECTS as VECTOR_DIALECTS
from tests.vectors.collection import entries, iso87_body, shipped_dialect, unionpay_body

from pos_host.options import UsageError
from pos_host.recording.card_watch import CardWatch
from pos_host.recording.recorder import STRAY_NUMBER, Recorder, open_recording
from pos_host.recording.replacement import Replacements
from pos_specs.card_number import luhn_valid
from pos_specs.card_search import cards_in
from pos_specs.dialect import DataElement
from pos_specs.errors import MessageError
from pos_specs.framing import Frame, Framer
from pos_specs.language import Language, open_language
from pos_specs.message import Message
from pos_specs.recording import RecordingError, read_recording
from pos_specs.tlv import build_tlv, parse_tlv

CANARY = "6225880137063146"
"""A number that stands for somebody's real card."""

DIALECTS = ["unionpay", "hypercom", "iso87-ascii", "iso87-binary", "iso93-ascii", "hypercom-ebcdic", "base24-pos"]


def fixed_random(count: int) -> bytes:
    return bytes(range(count))


def recorded(language: Language, message: Message, times: int = 1) -> dict[str, Any]:
    """The last line of a recording of the message."""
    return lines_of(language, [message] * times)[-1]


def lines_of(language: Language, messages: list[Message]) -> list[dict[str, Any]]:
    out = io.StringIO()
    recorder = Recorder(out, fixed_random, "a test", 0)
    for message in messages:
        frame = Frame(tpdu_of(language), language.dialect.framing.envelope.header.sent, language.encode(message))
        recorder.frame(5, 1, "to_host", language, frame)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def tpdu_of(language: Language) -> bytes:
    return b"" if language.dialect.framing.tpdu == "none" else bytes.fromhex("6000030000")


def reread(language: Language, line: dict[str, Any]) -> Message:
    """The message of a recorded line."""
    (frame,) = Framer(language.dialect.framing).receive_data(bytes.fromhex(line["frame"]))
    return language.decode(frame.body)


def forms_of(number: str) -> list[bytes]:
    """Every way in which a number may stand in bytes."""
    return [
        number.encode("ascii"),
        number.encode("cp500"),
        number.encode("ascii").hex().encode(),
        number.encode("cp500").hex().upper().encode(),
    ]


def holds(line: dict[str, Any], number: str) -> bool:
    """True when the number stands in a line, in any encoding of its bytes or of the line's own text."""
    data = bytes.fromhex(line.get("frame", ""))
    text = json.dumps(line)
    return number in data.hex() or number in text or any(form in data for form in forms_of(number))


def a_purchase(language: Language, **extra: str) -> Message:
    fields = {3: "000000", 4: "000000001234", 11: "000012", 41: "T0000001", 42: "898000000000001", 49: "156"}
    fields |= {int(name[1:]): value for name, value in extra.items()}
    mti = "1200" if language.name.startswith("iso93") else "0200"
    known = {number: value for number, value in sorted(fields.items()) if number in language.dialect.elements}
    return Message(mti, {**known, 41: known[41].ljust(language.dialect.elements[41].max_length)})


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_canary_is_in_no_element_of_a_recording_in_any_encoding(dialect: str) -> None:
    language = open_language(dialect)
    track = f"{CANARY}D3012101000007630".replace("D", "=" if "ascii" in dialect or "base24" in dialect else "D")
    message = a_purchase(language, f2=CANARY, f35=track, f36=f"01{track}", f63=f"card {CANARY}, thanks")

    line = recorded(language, message)

    assert "unreadable" not in line
    assert not holds(line, CANARY)
    assert holds({"frame": language.encode(message).hex()}, CANARY)
    assert set(reread(language, line).fields) == set(message.fields)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_replacement_keeps_issuer_length_and_check_digit(dialect: str) -> None:
    language = open_language(dialect)

    other = reread(language, recorded(language, a_purchase(language, f2=CANARY))).fields[2]

    assert (CANARY[:6], len(CANARY), True) == (other[:6], len(other), luhn_valid(other))
    assert CANARY != other


def test_a_wrong_check_digit_stays_wrong() -> None:
    assert not luhn_valid(Replacements(b"k").number("6225880137063147"))


def test_the_same_card_is_the_same_replacement_wherever_it_stands() -> None:
    language = open_language("unionpay")
    chip = build_tlv([("5A", CANARY), ("57", f"{CANARY}D3012101000007630F"), ("9F26", "0102030405060708")])
    message = a_purchase(language, f2=CANARY, f35=f"{CANARY}D3012101000007630", f55=chip.hex().upper())

    fields = reread(language, recorded(language, message)).fields
    tags = dict(parse_tlv(bytes.fromhex(fields[55])))

    other = fields[2]
    assert f"{other}D3012101{'0' * 9}" == fields[35]
    assert (other, f"{other}D3012101{'0' * 9}F", "0102030405060708") == (tags["5A"], tags["57"], tags["9F26"])


def test_another_recording_has_other_replacements() -> None:
    assert Replacements(b"one").number(CANARY) != Replacements(b"two").number(CANARY)


def test_pin_block_and_mac_are_zeros() -> None:
    language = open_language("unionpay")

    line = recorded(language, a_purchase(language, f2=CANARY, f52="0123456789ABCDEF", f64="FEDCBA9876543210"))

    fields = reread(language, line).fields
    assert ("0" * 16, "0" * 16) == (fields[52], fields[64])
    assert ["52", "64"] == line["hidden"]


def test_keys_of_a_sign_in_are_zeros() -> None:
    language = open_language("unionpay")
    keys = "11" * 40
    answer = Message(
        "0810", {11: "000001", 39: "00", 41: "T0000001", 42: "898000000000001", 60: "00000001003", 62: keys}
    )

    assert "00" * 40 == reread(language, recorded(language, answer)).fields[62]


def test_an_enciphered_track_is_zeros() -> None:
    language = open_language("unionpay")

    line = recorded(language, a_purchase(language, f35="8A1B2C3D4E5F60718293A4B5C6D7E8F9012345"[:36]))

    assert {"0"} == set(reread(language, line).fields[35])


def test_uploaded_records_keep_their_shape_with_other_numbers() -> None:
    language = open_language("unionpay")
    record = f"00000012{CANARY:0>20}000000001234"
    fields = {11: "000013", 41: "T0000001", 42: "898000000000001", 48: f"02{record}{record}", 60: "00000001201"}

    line = recorded(language, Message("0320", fields))

    other = Replacements(fixed_random(32)).number(CANARY)
    expected = f"00000012{other:0>20}000000001234"
    assert f"02{expected}{expected}" == reread(language, line).fields[48]


def test_a_scanned_code_is_replaced_like_a_card() -> None:
    language = open_language("unionpay")
    code = "283450123456789012"
    wallet = build_tlv([("5F01", code.encode().hex())]).hex().upper()

    line = recorded(language, a_purchase(language, f60="26000001000", f62=wallet))

    assert not holds(line, code)
    assert b"283450".hex() in reread(language, line).fields[62]


def test_a_number_met_before_is_found_where_none_belongs() -> None:
    language = open_language("unionpay")
    stray = a_purchase(language, f37=CANARY[:12])
    stray.fields[48] = f"9{CANARY}0000000000000"

    lines = lines_of(language, [a_purchase(language, f2=CANARY), stray])

    assert not holds(lines[-1], CANARY)


@pytest.mark.parametrize("form", [form.decode("latin-1") for form in forms_of(CANARY)])
def test_the_last_look_finds_a_number_in_every_form(form: str) -> None:
    language, watch = open_language("hypercom"), CardWatch()
    watch.note({CANARY})

    def met(value: str) -> bool:
        return watch.met_in(language, Message("0200", {60: value}))

    assert met(f"*{form}*")
    assert not met(f"*{form[:-1]}*")


@pytest.mark.parametrize("shift", [0, 1])
def test_the_last_look_finds_a_packed_number_also_when_it_is_shifted(shift: int) -> None:
    watch = CardWatch()
    watch.note({CANARY})
    packed = bytes.fromhex(f"{'1' * shift}{CANARY}{'1' * shift}")

    assert watch.met_in(open_language("hypercom"), Message("0200", {60: packed.decode("latin-1")}))
    assert watch.met_in(open_language("unionpay"), Message("0200", {59: packed.hex().upper()}))


def test_digits_of_two_parts_side_by_side_are_no_number() -> None:
    language, watch = open_language("unionpay"), CardWatch()
    watch.note({"4000000000000010"})
    totals = "000000001000004" + "000000000000" + "0100" + "0" * 31
    fields = {11: "000001", 48: totals, 60: "00000001201"}

    assert not watch.met_in(language, Message("0500", fields))
    assert watch.met_in(language, Message("0200", {**fields, 48: totals + "0"}))


def test_a_frame_with_a_stray_number_is_kept_without_its_bytes() -> None:
    language = open_language("hypercom")
    stray = a_purchase(language, f90=CANARY.ljust(42, "0"))

    line = lines_of(language, [a_purchase(language, f2=CANARY), stray])[-1]

    assert (STRAY_NUMBER, False) == (line["unreadable"], "frame" in line)


def test_an_unreadable_frame_is_recorded_without_its_bytes() -> None:
    out = io.StringIO()
    recorder = Recorder(out, fixed_random, "a test", 0)

    recorder.frame(1, 1, "to_host", open_language("unionpay"), Frame(bytes(5), bytes(6), b"\x02\x00\xff"))

    line = json.loads(out.getvalue().splitlines()[-1])
    assert ("frame" in line, 14) == (False, line["bytes"])
    assert line["unreadable"]


def test_the_messages_of_others_are_recorded_without_the_cards_in_them() -> None:
    checked = 0
    for name, body_of, dialect_of in (
        ("unionpay", unionpay_body, lambda entry: "unionpay"),
        ("iso87", iso87_body, shipped_dialect),
    ):
        for entry in entries(name):
            dialect = dialect_of(entry)
            if dialect is None or (name == "iso87" and entry["spec"] not in VECTOR_DIALECTS):
                continue
            checked += assert_no_card(open_language(dialect), body_of(entry))
    assert checked


def assert_no_card(language: Language, body: bytes) -> int:
    """1 where the message was looked at, 0 where the dialect does not read it."""
    try:
        cards = cards_in(language, language.decode(body))
    except MessageError:
        return 0
    out = io.StringIO()
    recorder = Recorder(out, fixed_random, "a test", 0)
    recorder.frame(1, 1, "to_host", language, Frame(tpdu_of(language), bytes(6), body))
    line = json.loads(out.getvalue().splitlines()[-1])
    assert not any(holds(line, card) for card in cards)
    return 1


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    language, path = open_language("hypercom"), tmp_path / "day.jsonl"
    recorder = Recorder(open_recording(path), fixed_random, "a test", 1000)
    message = a_purchase(language, f2=CANARY, f62="000012")
    recorder.frame(1234, 3, "to_host", language, Frame(tpdu_of(language), b"", language.encode(message)))
    recorder.unframed(1300, 3, "to_terminal", language, 7, "the length is 0")
    recorder.close()

    first, second = read_recording(path)

    assert (234, 3, "to_host", "hypercom", "0200") == (*first[:4], first.mti)
    assert ("purchase", ("2",), ()) == (first.function, first.changed, first.hidden)
    assert (b"", 7, "the length is 0") == (second.frame, second.size, second.unreadable)
    assert 0o600 == path.stat().st_mode & 0o777


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    path.write_text("precious")

    with pytest.raises(UsageError, match="is there already"):
        open_recording(path)
    assert "precious" == path.read_text()


HEAD = '{"recording": 1, "made_by": "x", "began": ""}\n'
GOOD = {"at_ms": 0, "connection": 1, "direction": "to_host", "dialect": "hypercom", "frame": "00"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", ":1: is empty"),
        ("no json\n", ":1: is no JSON object"),
        ('{"a": 1}\n', ":1: recording: is missing"),
        ('{"recording": 9}\n', ":1: recording: version 9 is not 1"),
        (HEAD + "[]\n", ":2: is no JSON object"),
        (HEAD + json.dumps(GOOD | {"direction": "up"}), ":2: direction: must be one of to_host, to_terminal"),
        (HEAD + json.dumps(GOOD | {"at_ms": -1}), ":2: at_ms: must be a whole number from 0 to 4294967295000"),
        (HEAD + json.dumps(GOOD | {"connection": True}), ":2: connection: must be a whole number from 1 to 10000000"),
        (HEAD + json.dumps(GOOD | {"connection": 2**40}), ":2: connection: must be a whole number from 1 to 10000000"),
        (
            HEAD + json.dumps(GOOD | {"at_ms": 2**32 * 1000}),
            ":2: at_ms: must be a whole number from 0 to 4294967295000",
        ),
        (HEAD + "[" * 100_000, ":2: is no JSON object"),
        (HEAD + json.dumps(GOOD | {"frame": "0g"}), ":2: frame: must be hex digits"),
        (HEAD + json.dumps({**GOOD, "frame": ""}), ":2: frame: must be a text"),
        (HEAD + json.dumps(GOOD | {"hidden": [2]}), ":2: hidden: must be a list of texts"),
    ],
)
def test_a_file_that_is_no_recording_is_refused_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "wrong.jsonl"
    path.write_text(text)

    with pytest.raises(RecordingError) as raised:
        read_recording(path)
    assert complaint in str(raised.value)


@pytest.mark.parametrize("account", ["DE44500105175407324931", "4480-0000/1234567", "KONTO 12345678"])
@pytest.mark.parametrize("dialect", ["hypercom", "iso87-ascii", "hypercom-ebcdic"])
def test_an_account_number_with_letters_is_hidden_and_costs_no_frame(dialect: str, account: str) -> None:
    language = open_language(dialect)
    line = recorded(language, a_purchase(language, f2=CANARY, f102=account, f60=f"to {account}"))

    assert "unreadable" not in line
    assert "102" in line["hidden"]
    kept = reread(language, line).fields
    assert [language.dialect.elements[102].length_digits, "000000001234"] == [2, kept[4]]
    assert not holds(line, account)
    assert len(account) == len(kept[102])


def test_the_hex_of_ebcdic_digits_in_free_text_is_hidden() -> None:
    language = open_language("hypercom")
    line = recorded(language, a_purchase(language, f60=f"to {CANARY.encode('cp500').hex().upper()}"))

    assert ["60"] == line["hidden"]
    assert "to " + "0" * 32 == reread(language, line).fields[60]


def test_a_recording_that_an_editor_wrote_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "day.jsonl").write_text(HEAD + json.dumps(GOOD) + "\r\n", "utf-8-sig")

    assert [b"\0"] == [frame.frame for frame in read_recording(tmp_path / "day.jsonl")]


@settings(max_examples=80)
@given(st.binary(max_size=200), st.sampled_from(DIALECTS))
def test_no_bytes_make_the_recorder_fail(body: bytes, dialect: str) -> None:
    language, out = open_language(dialect), io.StringIO()

    Recorder(out, fixed_random, "a test", 0).frame(1, 1, "to_host", language, Frame(bytes(5), bytes(6), body))

    assert 2 == len(out.getvalue().splitlines())


@settings(max_examples=60)
@given(st.from_regex("[0-9A-Za-z =D^;%?-]{0,20}6225880137063146[0-9A-Za-z =D^?]{0,20}", fullmatch=True))
def test_the_canary_never_stands_in_free_text_however_it_is_wrapped(text: str) -> None:
    language = open_language("hypercom")

    first, line = lines_of(language, [a_purchase(language, f2=CANARY), a_purchase(language, f60=text)])[1:]

    assert not holds(first, CANARY)
    assert not holds(line, CANARY)


def values_with(number: str, element: DataElement) -> list[str]:
    """The number in as many ways as an element of this class and length can hold it."""
    characters = number.encode("ascii").hex().upper()
    if element.content == "b":
        forms = [number, f"1{number}1", characters, number.encode("cp500").hex().upper()]
        room = 2 * element.max_length
    elif element.content in ("n", "z", "h"):
        forms, room = [number, f"00{number}"], element.max_length
    else:
        forms, room = [number, f"X{number}", f"{number[:4]} {number[4:8]} {number[8:]}", characters], element.max_length
        forms.append(bytes.fromhex(number).decode("latin-1"))
    filling = "0" if element.content in ("n", "z", "h", "b") else " "
    fixed = element.length_digits == 0
    return [form.ljust(room, filling) if fixed else form for form in forms if len(form) <= room]


@pytest.mark.parametrize("dialect", [*DIALECTS, "postilion"])
def test_a_number_that_was_met_is_in_no_element_whatever_its_class(dialect: str) -> None:
    language = open_language(dialect)
    checked = 0
    for number, element in language.dialect.elements.items():
        for value in values_with(CANARY, element) if number > 2 else ():
            stray = Message("1200" if dialect.startswith("iso93") else "0200", {11: "000012", number: value})
            try:
                language.encode(stray)
            except MessageError:
                continue
            lines = lines_of(language, [a_purchase(language, f2=CANARY), stray])
            assert not holds(lines[-1], CANARY), f"element {number} of {dialect}"
            checked += 1
    assert checked


@pytest.mark.parametrize("dialect", [*DIALECTS, "postilion"])
def test_a_number_that_was_never_met_is_in_no_text(dialect: str) -> None:
    language = open_language(dialect)
    for number, element in language.dialect.elements.items():
        if not (element.is_text and element.length_digits and number > 2):
            continue
        for value in values_with(CANARY, element)[:3]:
            stray = Message("1200" if dialect.startswith("iso93") else "0200", {11: "000012", number: value})
            try:
                language.encode(stray)
            except MessageError:
                continue
            assert not holds(recorded(language, stray), CANARY), f"element {number} of {dialect}"
