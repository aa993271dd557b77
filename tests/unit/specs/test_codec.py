"""The codec: when it generates functions, and what it refuses."""

import pytest

from pos_specs.codec import GENERATED_KEPT, SEEN_KEPT, Codec
from pos_specs.errors import MessageError
from pos_specs.language import open_language
from pos_specs.loader import load_dialect
from pos_specs.message import Message
from pos_specs.text_codecs import gbk_bytes, gbk_text, is_wire_encoding

SIGHTS = range(3)
"""The first reading of a bitmap is the reference's, the third the generated function's."""


@pytest.fixture
def unionpay() -> Codec:
    return Codec(load_dialect("unionpay"))


@pytest.fixture
def iso87() -> Codec:
    return Codec(load_dialect("iso87-ascii"))


def refused(codec: Codec, data: bytes) -> MessageError:
    """The error of a message, the same at every sight."""
    errors = []
    for _ in SIGHTS:
        with pytest.raises(MessageError) as caught:
            codec.decode(data)
        errors.append(caught.value)
    assert 1 == len({(str(error), error.field, error.offset) for error in errors})
    return errors[0]


def test_a_function_is_generated_at_second_sight(unionpay: Codec) -> None:
    message = Message("0820", {41: "T0000001", 60: "00000001301"})
    data = unionpay.encode(message)
    unionpay.decode(data)
    assert ({}, {}) == (unionpay._decoders, unionpay._encoders)

    assert (data, message) == (unionpay.encode(message), unionpay.decode(data))

    assert (1, 1) == (len(unionpay._decoders), len(unionpay._encoders))


def test_random_bitmaps_fill_neither_table_without_end(unionpay: Codec) -> None:
    for number in range(1, SEEN_KEPT + 100):
        with pytest.raises(MessageError):
            unionpay.decode(b"\x02\x00\x00\x00" + number.to_bytes(6, "big"))
    assert SEEN_KEPT == len(unionpay._seen)

    unionpay._decoders = {bytes((key,)): lambda data: None for key in range(GENERATED_KEPT)}  # type: ignore[misc]
    data = unionpay.reference.encode(Message("0820", {41: "T0000001"}))
    for _ in SIGHTS:
        unionpay.decode(data)
    assert GENERATED_KEPT == len(unionpay._decoders)


def test_the_order_of_elements_in_the_message_does_not_matter(unionpay: Codec) -> None:
    backwards = Message("0820", {60: "00000001301", 41: "T0000001", 11: "000001"})
    forwards = Message("0820", {11: "000001", 41: "T0000001", 60: "00000001301"})

    assert 1 == len({unionpay.encode(message) for message in (backwards, forwards) for _ in SIGHTS})


def test_an_element_the_dialect_lacks_is_named_and_what_was_before_it_is_kept(unionpay: Codec) -> None:
    error = refused(unionpay, bytes.fromhex("0200 6000 0400 0000 0000 06 622202 000000 1234"))

    assert ("22", 17) == (error.field, error.offset)
    error = refused(unionpay, bytes.fromhex("0200 6100 0000 0000 0000 06 622202 000000 1234"))
    assert ("8", 17) == (error.field, error.offset)
    assert "element 8 at byte 17: not defined in dialect unionpay" == str(error)
    assert error.partial is not None
    assert {2: "622202", 3: "000000"} == error.partial.fields


def test_letters_among_digits_are_refused_where_the_digits_stand(unionpay: Codec) -> None:
    error = refused(unionpay, bytes.fromhex("0200 6000 0000 0000 0000 06 62220A 000000"))

    assert ("2", 11, "not all digits") == (error.field, error.offset, error.reason)
    assert error.partial is not None
    assert {3: "000000"} == error.partial.fields


def test_a_message_type_that_is_no_number_is_refused(unionpay: Codec, iso87: Codec) -> None:
    assert "t" == refused(unionpay, bytes.fromhex("02A0 2000 0000 0000 0000 000000")).field
    assert "t" == refused(iso87, b"02x02000000000000000000000").field


def test_a_message_that_ends_in_the_bitmap_is_refused(unionpay: Codec, iso87: Codec) -> None:
    assert ("t", 0) == ((error := refused(unionpay, b"\x02")).field, error.offset)
    assert ("p", 2) == ((error := refused(unionpay, b"\x02\x00\x20")).field, error.offset)
    assert ("1", 20) == ((error := refused(iso87, b"0800" + b"8" + b"0" * 15)).field, error.offset)


def test_a_hex_bitmap_with_anything_else_in_it_is_refused(iso87: Codec) -> None:
    assert "p" == refused(iso87, b"0200" + b"20 0 0 0 0 0 0 0 " + b"000000").field
    assert "p" == refused(iso87, b"0200" + b"2000000000000000"[:-1] + b"G" + b"000000").field


def test_small_letters_in_a_hex_bitmap_are_read(iso87: Codec) -> None:
    elements = b"000001" + b"T0000001" + b"M00000000000001"

    for _ in SIGHTS:
        small = iso87.decode(b"0800" + b"0020000000c00000" + elements)
        assert small == iso87.decode(b"0800" + b"0020000000C00000" + elements)


def test_an_empty_second_bitmap_is_read(iso87: Codec) -> None:
    for _ in SIGHTS:
        message = iso87.decode(b"0800" + b"8020000000000000" + b"0" * 16 + b"000001")
        assert Message("0800", {11: "000001"}) == message


def test_a_third_bitmap_is_refused(iso87: Codec) -> None:
    error = refused(iso87, b"0800" + b"8020000000000000" + b"8" + b"0" * 15 + b"0" * 16 + b"000001")

    assert ("65", "a third bitmap is not supported") == (error.field, error.reason)


@pytest.mark.parametrize("counter", [b"+5", b" 5", b"5 ", b"0x", b"1_"])
def test_a_length_that_is_not_digits_is_refused(iso87: Codec, counter: bytes) -> None:
    error = refused(iso87, b"0200" + b"4000000000000000" + counter + b"12345")

    assert ("2", 20) == (error.field, error.offset)


def test_either_pad_nibble_is_read_and_the_senders_is_written_again(unionpay: Codec) -> None:
    for pad, pads in (("0", None), ("F", {60: "F"})):
        data = bytes.fromhex(f"0820 0000 0000 0000 0010 0011 00000001301{pad}")
        for _ in SIGHTS:
            message = unionpay.decode(data)
            assert (pads, data) == (message.pads, unionpay.encode(message))
    assert "60" == refused(unionpay, bytes.fromhex("0820 0000 0000 0000 0010 0011 000000013015")).field


def test_chinese_text_goes_through_the_generated_functions(unionpay: Codec) -> None:
    message = Message("0210", {43: "某某商户（上海）".ljust(32), 63: "CUP受理成功"})

    for _ in SIGHTS:
        data = unionpay.encode(message)
        assert message == unionpay.decode(data)
    assert (message, data) == (
        next(iter(unionpay._decoders.values()))(data),
        next(iter(unionpay._encoders.values()))(message.mti, message.fields),
    )


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain", "plain"),
        ("中文".encode("gbk"), "中文"),
        (b"\xff\xfe", "hex:FFFE"),
        (b"hex:41", "hex:6865783A3431"),
        (b"", ""),
        (b"\x81", "hex:81"),
    ],
)
def test_text_and_bytes_that_are_none_come_back_byte_for_byte(data: bytes, text: str) -> None:
    assert (text, data) == (gbk_text(data), gbk_bytes(text))
    assert (text, data) == (data.decode("pos-gbk"), text.encode("pos-gbk"))


@pytest.mark.parametrize("name", ["gbk", "latin-1", "ascii", "cp037", "cp1252"])
def test_encodings_of_one_byte_and_gbk_may_be_named_in_a_dialect(name: str) -> None:
    assert is_wire_encoding(name)


@pytest.mark.parametrize("name", ["utf-8", "utf-16", "gb18030", "big5", "rot13", "hex", "idna", "nonsense", ""])
def test_other_encodings_may_not(name: str) -> None:
    assert not is_wire_encoding(name)


def test_the_generated_source_can_be_read() -> None:
    source = open_language("unionpay").codec.source((3, 11, 41))

    assert "def decode(b):" in source
    assert "def encode(mti, f):" in source


@pytest.mark.parametrize(
    ("number", "value", "reason"),
    [
        (4, "00000000010", "expecting 12"),
        (4, "00000000010A", "not all digits"),
        (2, "1" * 20, "larger than maximum 19"),
        (52, "1122", "expecting 8"),
        (52, "11223344556677gg", "not whole bytes"),
        (52, "11223344556677aa", "not whole bytes in upper-case hex"),
        (5, "1", "not defined in dialect unionpay"),
        (41, "T000001", "expecting 8"),
    ],
)
def test_a_value_that_does_not_fit_is_named(unionpay: Codec, number: int, value: str, reason: str) -> None:
    for _ in SIGHTS:
        with pytest.raises(MessageError, match=reason) as caught:
            unionpay.encode(Message("0200", {number: value}))
        assert str(number) == caught.value.field


def test_a_message_type_that_does_not_fit_is_refused(unionpay: Codec) -> None:
    for mti in ("200", "02000", "02x0", "٠200", ""):
        for _ in SIGHTS:
            with pytest.raises(MessageError, match="message type"):
                unionpay.encode(Message(mti, {41: "T0000001"}))


def test_ebcdic_text_beside_bcd_digits(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Malaysian acquirers do this (hypercom.md 2.1)."""
    from importlib import resources

    from pos_specs.loader import read_dialect

    shipped = (resources.files("pos_specs") / "dialects" / "hypercom.toml").read_text("utf-8")
    file = tmp_path_factory.mktemp("dialects") / "ebcdic.toml"
    file.write_text(shipped.replace('text = "latin-1"', 'text = "cp037"'), "utf-8")
    codec = Codec(read_dialect(file))
    message = Message("0800", {3: "920000", 41: "T 000001", 62: "INVOICE é"})

    data = codec.encode(message)

    assert "T 000001".encode("cp037") in data
    for _ in SIGHTS:
        assert (data, message) == (codec.encode(message), codec.decode(data))
    assert message == next(iter(codec._decoders.values()))(data)
