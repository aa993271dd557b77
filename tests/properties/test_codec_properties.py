"""What is written is read again, and the generated functions do exactly what pyiso8583 does."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.messages import DIALECTS, EXAMPLES, damaged, dialect_of, messages

from pos_specs import decoder_source, encoder_source
from pos_specs.bitmap import bitmap_bytes, bitmap_reader, elements_of
from pos_specs.codec import Codec
from pos_specs.dialect import DataElement
from pos_specs.errors import MessageError
from pos_specs.message import Message
from pos_specs.reference import ReferenceCodec

pytestmark = pytest.mark.slow

OWN = sorted((Path(__file__).parent / "dialects").glob("*.toml"))
every_dialect = pytest.mark.parametrize("name", [*DIALECTS, *map(str, OWN)], ids=lambda name: Path(name).stem)


@cache
def reference_of(name: str) -> ReferenceCodec:
    return ReferenceCodec(dialect_of(name))


@cache
def decoder_of(name: str, elements: tuple[int, ...]) -> Callable[[bytes], Message | None]:
    return decoder_source.build(dialect_of(name), elements)


@cache
def encoder_of(name: str, elements: tuple[int, ...]) -> Callable[[str, dict[int, str]], bytes | None]:
    return encoder_source.build(dialect_of(name), elements)


def generated_decode(name: str, data: bytes) -> Message | None:
    """What a generated decoder says of `data`, None where the codec would not generate one either."""
    wire = dialect_of(name).wire
    bitmap = bitmap_reader(wire)(data)
    try:
        elements = elements_of(wire, bitmap)
    except MessageError:
        return None
    if set(elements) - dialect_of(name).elements.keys() or len(bitmap) != bitmap_bytes(wire, elements):
        return None
    return decoder_of(name, elements)(data)


def reference_decode(name: str, data: bytes) -> Message | MessageError:
    try:
        return reference_of(name).decode(data)
    except MessageError as error:
        return error


def reference_encode(name: str, message: Message) -> bytes | MessageError:
    try:
        return reference_of(name).encode(message)
    except MessageError as error:
        return error


@every_dialect
@EXAMPLES
@given(data=st.data())
def test_a_message_is_read_as_it_was_written(name: str, data: st.DataObject) -> None:
    message = data.draw(messages(name))

    written = reference_of(name).encode(message)
    generated = decoder_of(name, tuple(sorted(message.fields)))(written)

    assert message == reference_of(name).decode(written)
    assert generated == message or (generated is None and not is_ordinary(name, message))


@every_dialect
@EXAMPLES
@given(data=st.data())
def test_the_generated_encoder_writes_the_same_bytes(name: str, data: st.DataObject) -> None:
    message = data.draw(messages(name))
    message.pads = None

    written = encoder_of(name, tuple(message.fields))(message.mti, message.fields)

    expected = reference_of(name).encode(message)
    assert written == expected or (written is None and not is_ordinary(name, message))


def is_ordinary(name: str, message: Message) -> bool:
    """True for the messages that the generated functions must not leave to pyiso8583."""
    elements = dialect_of(name).elements
    return all(_is_ordinary(elements[number], value) for number, value in message.fields.items())


def _is_ordinary(element: DataElement, value: str) -> bool:
    if element.content == "xn":
        return value[0] in "CD"
    if element.content == "z" and not element.packed:
        return value.strip("0123456789=") == ""
    return element.may_be_chinese or (value.isascii() and "hex:" not in value)


@every_dialect
@EXAMPLES
@given(data=st.data())
def test_damaged_bytes_are_the_same_message_or_no_message_for_both(name: str, data: st.DataObject) -> None:
    broken = data.draw(damaged(reference_of(name).encode(data.draw(messages(name)))))

    generated, reference = generated_decode(name, broken), reference_decode(name, broken)

    assert generated is None or generated == reference


@every_dialect
@EXAMPLES
@given(data=st.data())
def test_the_codec_gives_the_references_message_or_its_error(name: str, data: st.DataObject) -> None:
    broken = data.draw(damaged(reference_of(name).encode(data.draw(messages(name)))))
    codec, expected = Codec(dialect_of(name)), reference_decode(name, broken)

    for _ in range(3):
        if isinstance(expected, Message):
            assert expected == codec.decode(broken)
            continue
        with pytest.raises(MessageError) as caught:
            codec.decode(broken)
        assert (expected.field, expected.offset) == (caught.value.field, caught.value.offset)


@every_dialect
@EXAMPLES
@given(noise=st.binary(max_size=120))
def test_noise_raises_nothing_but_message_errors(name: str, noise: bytes) -> None:
    for start in (b"", b"\x02\x00", b"0200"):
        reference_decode(name, start + noise)
        assert generated_decode(name, start + noise) in (None, reference_decode(name, start + noise))


WRONG_VALUES = st.one_of(
    st.text(max_size=40),
    st.text("0123456789", max_size=40),
    st.text("0123456789abcdefABCDEF= \n", max_size=40),
    st.text("０１２３４５²¼Ⅷ٣xX", max_size=8),
    st.sampled_from(["", " ", "hex:", "hex:4", "hex:41", "\ud800", "中文", "é", "\x00" * 8, "1_0", "+5"]),
)


@every_dialect
@EXAMPLES
@given(data=st.data())
def test_a_value_that_does_not_fit_is_refused_by_both(name: str, data: st.DataObject) -> None:
    message = data.draw(messages(name))
    message.pads = None
    number = data.draw(st.sampled_from(sorted(message.fields)))
    message.fields[number] = data.draw(WRONG_VALUES)

    generated = encoder_of(name, tuple(message.fields))(message.mti, message.fields)

    expected = reference_encode(name, message)
    if isinstance(expected, MessageError):
        assert (None, str(number)) == (generated, expected.field)
    else:
        assert generated in (None, expected)


@every_dialect
def test_values_of_the_greatest_length_are_written_and_read(name: str) -> None:
    for element in dialect_of(name).elements.values():
        size = element.max_length
        value = {"b": "AB" * size, "xn": "C" + "1" * (size - 1)}.get(element.content, "1" * size)
        message = Message("0200", {element.number: value})

        written = encoder_of(name, (element.number,))("0200", message.fields)

        assert reference_of(name).encode(message) == written
        assert message == decoder_of(name, (element.number,))(written)


@every_dialect
def test_values_longer_than_the_greatest_length_are_refused(name: str) -> None:
    for element in dialect_of(name).elements.values():
        size = element.max_length + 1
        value = {"b": "AB" * size, "xn": "C" + "1" * (size - 1)}.get(element.content, "1" * size)

        assert encoder_of(name, (element.number,))("0200", {element.number: value}) is None
        with pytest.raises(MessageError) as caught:
            reference_of(name).encode(Message("0200", {element.number: value}))
        assert str(element.number) == caught.value.field
