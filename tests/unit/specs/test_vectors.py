"""The messages of others: read as their sources say, written again byte for byte, refused where broken."""

import re

import pytest
from tests.vectors.collection import (
    ALWAYS_128,
    DIALECTS,
    FOUR_NIBBLES,
    Entry,
    entries,
    iso87_body,
    parameters,
    unionpay_body,
)

from pos_specs.codec import Codec
from pos_specs.errors import FramingError, MessageError
from pos_specs.framing import Framer
from pos_specs.language import open_language
from pos_specs.loader import load_dialect
from pos_specs.message import Message

SIGHTS_UNTIL_GENERATED = 3
"""A codec generates a function at the second sight of a bitmap and uses it from then on."""


def read_and_write(dialect: str, data: bytes) -> list[tuple[Message, bytes]]:
    """What the reference and what the generated functions make of `data`; fails when none was generated."""
    codec = Codec(load_dialect(dialect))
    results = [(message := codec.reference.decode(data), codec.reference.encode(message))]
    for _ in range(SIGHTS_UNTIL_GENERATED):
        message = codec.decode(data)
        results.append((message, codec.encode(message)))
    (decoder,) = codec._decoders.values()
    assert decoder(data) == message, "the generated decoder left it to the reference"
    if message.pads is None:
        (encoder,) = codec._encoders.values()
        assert encoder(message.mti, message.fields) == data, "the generated encoder left it to the reference"
    return results


@pytest.mark.parametrize("entry", parameters("unionpay"))
def test_a_unionpay_message_is_read_as_stated_and_written_again(entry: Entry) -> None:
    body = unionpay_body(entry)
    stated = {int(number): value for number, value in entry["fields"].items() if number != "0"}

    for message, written in read_and_write("unionpay", body):
        assert entry["fields"]["0"] == message.mti
        assert stated == message.fields
        assert body == written


@pytest.mark.parametrize("entry", parameters("unionpay"))
def test_an_odd_pad_nibble_of_the_sender_is_kept(entry: Entry) -> None:
    unusual = {int(n): pad for n, pad in entry["odd_pad_nibbles"].items() if pad == "F"}

    message = open_language("unionpay").decode(unionpay_body(entry))

    assert unusual == (message.pads or {})


@pytest.mark.parametrize("entry", parameters("iso87"))
def test_a_message_of_the_1987_edition_is_read_as_stated_and_written_again(entry: Entry) -> None:
    body = iso87_body(entry)
    dialect = load_dialect(DIALECTS[entry["spec"]])
    stated = {int(number): value for number, value in entry["fields"].items() if number not in "tp1h"}
    if entry["spec"] == FOUR_NIBBLES:
        stated = {n: v[-3:] if dialect.elements[n].format == "n3" else v for n, v in stated.items()}

    for message, written in read_and_write(DIALECTS[entry["spec"]], body):
        assert entry["fields"]["t"] == message.mti
        assert stated == message.fields
        assert body == written


def test_every_message_of_the_collection_is_here() -> None:
    assert 79 == len({entry["name"] for entry in entries("iso87")})
    assert set(DIALECTS) == {entry["spec"] for entry in entries("iso87")}


SENT_WITH_128_BITS = [entry for entry in parameters("iso87") if "hex_original" in entry.values[0]]  # type: ignore[operator]


@pytest.mark.parametrize("entry", SENT_WITH_128_BITS)
def test_a_bitmap_that_always_has_128_bits_is_read_and_written_as_it_was_sent(entry: Entry) -> None:
    body = bytes.fromhex(entry["hex_original"])
    stated = {int(number): value for number, value in entry["fields"].items() if number not in "tp1h"}

    for message, written in read_and_write(ALWAYS_128, body):
        assert stated == message.fields
        assert body == written


def test_nine_messages_were_sent_with_128_bits() -> None:
    assert 9 == len(SENT_WITH_128_BITS)


def whole(entry: Entry) -> bool:
    return bool(entry["framing"]) and "header" not in entry["framing"]


@pytest.mark.parametrize("entry", [entry for entry in parameters("iso87") if whole(entry.values[0])])  # type: ignore[arg-type]
def test_a_framed_message_comes_out_of_the_framer_as_stated(entry: Entry) -> None:
    framer = Framer(load_dialect(DIALECTS[entry["spec"]]).framing)

    (frame,) = framer.receive_data(bytes.fromhex(entry["hex"]))

    assert bytes.fromhex(entry["framing"].get("tpdu", "")) == frame.tpdu
    assert bytes.fromhex(entry["iso_hex"]) == frame.header + frame.body


BROKEN = {entry["name"]: entry for entry in entries("broken_frames")}

FRAMING_REASONS = {
    "length header little endian": "length 20736 is over the limit of 4096 bytes",
    "length header as 4 ASCII digits": "length 12336 is over the limit of 4096 bytes (ASCII digits?",
    "TPDU id 0x68 (error packet)": "TPDU id 68 instead of 60: an error packet",
    "TPDU missing": "TPDU id 02 instead of 60: no TPDU",
}
CONTENT_ERRORS = {"non-BCD nibble in DE4": ("4", 13)}
"""pyiso8583 takes hex digits for digits: we do not."""

STREAM_CASES = {
    "length header one too large",
    "length header one too small",
    "two frames glued in one TCP segment",
}


def named_by_pyiso8583(entry: Entry) -> tuple[str, int]:
    """Element and offset in `pyiso8583_result`."""
    found = re.search(r"field (\S+) pos (\d+)$", entry["pyiso8583_result"])
    if found is None:
        return CONTENT_ERRORS[entry["name"]]
    return found[1], int(found[2])


def framer_of(name: str) -> Framer:
    return Framer(load_dialect(DIALECTS[BROKEN[name]["spec"]]).framing)


def test_every_broken_frame_is_spoken_of() -> None:
    unframed = {name for name, entry in BROKEN.items() if not entry["framing"]}

    assert set(BROKEN) == unframed | set(FRAMING_REASONS) | STREAM_CASES


@pytest.mark.parametrize("name", [name for name, entry in BROKEN.items() if not entry["framing"]])
def test_a_broken_message_is_refused_with_element_and_offset(name: str) -> None:
    codec = Codec(load_dialect(DIALECTS[BROKEN[name]["spec"]]))
    data = bytes.fromhex(BROKEN[name]["hex"])

    for _ in range(SIGHTS_UNTIL_GENERATED):
        with pytest.raises(MessageError) as caught:
            codec.decode(data)
        assert named_by_pyiso8583(BROKEN[name]) == (caught.value.field, caught.value.offset)


@pytest.mark.parametrize("name", FRAMING_REASONS)
def test_a_broken_frame_is_refused_with_the_reason(name: str) -> None:
    framer = framer_of(name)

    assert [] == framer.receive_data(bytes.fromhex(BROKEN[name]["hex"]))

    assert isinstance(framer.error, FramingError)
    assert framer.error.reason.startswith(FRAMING_REASONS[name])


def test_a_length_one_too_large_waits_for_one_byte_more() -> None:
    framer = framer_of("length header one too large")
    data = bytes.fromhex(BROKEN["length header one too large"]["hex"])

    assert [] == framer.receive_data(data)

    assert (None, len(data)) == (framer.error, framer.waiting)


def test_a_length_one_too_large_eats_a_byte_of_the_next_frame_which_the_codec_refuses() -> None:
    framer = framer_of("length header one too large")
    data = bytes.fromhex(BROKEN["length header one too large"]["hex"])

    (frame,) = framer.receive_data(data + b"\x00")

    with pytest.raises(MessageError, match="Extra data after last field"):
        open_language("hypercom").decode(frame.body)


def test_a_length_one_too_small_cuts_the_last_element_and_leaves_a_byte() -> None:
    framer = framer_of("length header one too small")

    (frame,) = framer.receive_data(bytes.fromhex(BROKEN["length header one too small"]["hex"]))

    assert 1 == framer.waiting
    with pytest.raises(MessageError) as caught:
        open_language("hypercom").decode(frame.body)
    assert "62" == caught.value.field


def test_two_frames_in_one_segment_are_two_messages() -> None:
    name = "two frames glued in one TCP segment"
    framer = framer_of(name)

    first, second = framer.receive_data(bytes.fromhex(BROKEN[name]["hex"]))

    assert first == second
    assert "0200" == open_language("hypercom").decode(first.body).mti
