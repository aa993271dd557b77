"""The reference codec: pyiso8583 with a spec made from the dialect, our content checks around it.

The generated functions of `codec.py` must agree with it; every error a peer's bytes can cause is
raised here, so that it names element and offset. What pyiso8583 lets pass or reports badly (letters
in a numeric element, unknown elements as KeyError, the whole message in its exception) is handled here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import iso8583

from pos_specs.bitmap import bitmap_bytes, bitmap_hex, bitmap_reader, elements_of, mti_bytes, with_bit_1
from pos_specs.dialect import DataElement, Dialect
from pos_specs.errors import MessageError
from pos_specs.message import Message
from pos_specs.text_codecs import EBCDIC, codec_name, is_ebcdic

_ENCODINGS = {"bcd": "b", "binary": "b", "ascii": "ascii", "hex": "ascii", "ebcdic": EBCDIC, "hex-ebcdic": EBCDIC}
"""What pyiso8583 calls the forms of MTI and bitmap; its counters call BCD by its name."""

ACCEPTED_PADS = ("0", "F")
"""Real terminals pad odd digits with either nibble (unionpay.md 1, vectors `signin_resp_bare_no32`)."""

_UNKNOWN = 10**6
"""Length given to elements a dialect does not define: longer than any frame, so reading stops there."""

_MTI = re.compile(r"[0-9]{4}")
_CONTENT = {
    "n": re.compile(r"[0-9]*"),
    "z": re.compile(r"[0-9A-F=D]*"),
    "xn": re.compile(r"[A-Za-z+\- ][0-9]*"),
    "h": re.compile(r"[0-9A-Fa-f]*"),
    "b": re.compile(r"(?:[0-9A-F]{2})*"),
}
_CONTENT_NAMES = {
    "n": "not all digits",
    "z": "not track digits",
    "xn": "not a sign and digits",
    "h": "not hex digits",
    "b": "not whole bytes in upper-case hex",
}


class Place(NamedTuple):
    """Where an element's counter and data stand, in bytes from the MTI."""

    start: int
    data_start: int
    end: int


class ReferenceCodec:
    """pyiso8583 for one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._bitmap = bitmap_reader(dialect.wire)
        self._signed = tuple(str(number) for number, element in dialect.elements.items() if element.is_signed_bcd)
        self.spec = spec_of(dialect)

    def decode(self, data: bytes) -> Message:
        """The message in `data` (MTI onwards); raises MessageError naming element and offset."""
        return self.decode_with_places(data)[0]

    def decode_with_places(self, data: bytes) -> tuple[Message, dict[str, Place]]:
        """The message, and where each element stands (keys as pyiso8583 names them: "t", "p", "1", "2" …)."""
        self._check_bitmap(data)
        try:
            decoded, encoded, pads = self._read(data)
        except iso8583.DecodeError as error:
            raise self._explain(error) from None
        places = _places(encoded)
        message = _message(self._with_signs(decoded), pads)
        self._check_content(message, places, encoded)
        return message, places

    def places(self, data: bytes) -> dict[str, Place]:
        """Where each element stands that can be read, also in a message that cannot be read to its end."""
        try:
            return _places(self._read(data)[1])
        except iso8583.DecodeError as error:
            unread = () if _only_extra(error) else (error.field,)
            return _places({key: value for key, value in error.doc_enc.items() if key not in unread})
        except MessageError:
            return {}

    def _read(self, data: bytes) -> tuple[Mapping[str, str], Mapping[str, Mapping[str, bytes]], dict[int, str]]:
        """pyiso8583's two dictionaries and the pad nibbles that are not the dialect's."""
        pads: dict[int, str] = {}
        spec: Mapping[str, Mapping[str, Any]] = self.spec
        data = with_bit_1(self._dialect.wire, data)
        while True:
            try:
                return (*iso8583.decode(data, spec), pads)
            except iso8583.DecodeError as error:
                other = self._other_pad(error, pads)
                if other is None:
                    raise
                number, nibble = other
                pads[number] = nibble
                spec = _with_pad(spec, str(number), nibble)
            except (ValueError, KeyError, TypeError) as error:
                raise MessageError(f"unreadable ({type(error).__name__})", "t", 0) from None

    def encode(self, message: Message) -> bytes:
        """The bytes of `message` from the MTI on; raises MessageError naming what does not fit."""
        doc = {"t": message.mti}
        spec: Mapping[str, Mapping[str, Any]] = self.spec
        self._check_mti(message)
        for number, value in message.fields.items():
            element = self._dialect.elements.get(number)
            if element is None:
                raise MessageError(f"not defined in dialect {self._dialect.name}", str(number))
            _check_element(element, value)
            doc[str(number)] = _signed_hex(element, value) if element.is_signed_bcd else value
        for number, nibble in (message.pads or {}).items():
            spec = _with_pad(spec, str(number), nibble)
        try:
            return self._with_second_bitmap(bytes(iso8583.encode(doc, spec)[0]), tuple(message.fields))
        except iso8583.EncodeError as error:
            raise MessageError(error.msg, error.field) from None
        except (ValueError, KeyError, TypeError) as error:
            raise MessageError(f"cannot be written ({type(error).__name__})", "t") from None

    def _with_signs(self, decoded: Mapping[str, str]) -> Mapping[str, str]:
        """A sign before packed digits is bytes to pyiso8583, and a character here."""
        signed = {key: decoded[key] for key in self._signed if decoded.get(key)}
        if not signed:
            return decoded
        elements = self._dialect.elements
        encodings = {key: elements[int(key)].plain_encoding for key in signed}
        made = {key: bytes.fromhex(value[:2]).decode(encodings[key], "replace") for key, value in signed.items()}
        return {**decoded, **{key: made[key] + value[2:] for key, value in signed.items()}}

    def _with_second_bitmap(self, data: bytes, elements: tuple[int, ...]) -> bytes:
        """pyiso8583's message with the bitmap of a dialect that always has two halves and no bit 1."""
        wire = self._dialect.wire
        if wire.second_bitmap == "announced":
            return data
        start, half = mti_bytes(wire), bitmap_bytes(wire, elements) // 2
        written = 2 * half if any(number > 64 for number in elements) else half
        bitmap, encoding = bitmap_hex(wire, elements), _ENCODINGS[wire.bitmap]
        made = bytes.fromhex(bitmap) if encoding == "b" else bitmap.encode(encoding)
        return data[:start] + made + data[start + written :]

    def _other_pad(self, error: iso8583.DecodeError, pads: dict[int, str]) -> tuple[int, str] | None:
        """The element and the tolerated nibble its sender used, when that is all that is wrong."""
        if not error.field.isdigit() or int(error.field) in pads or "nibbles, expecting" not in error.msg:
            return None
        element = self._dialect.elements.get(int(error.field))
        value = error.doc_dec.get(error.field, "")
        if element is None or not value or len(error.doc_enc[error.field]["data"]) * 2 != len(value):
            return None
        nibble = value[0] if element.pad_side == "left" else value[-1]
        if nibble == element.pad or nibble not in ACCEPTED_PADS:
            return None
        return element.number, nibble

    def _check_bitmap(self, data: bytes) -> None:
        """Refuses what pyiso8583 takes and nobody could write again: blanks in hex, a third bitmap (bit 65)."""
        start, size = mti_bytes(self._dialect.wire), bitmap_bytes(self._dialect.wire, (65,)) // 2
        bitmap = self._bitmap(data)
        if len(bitmap) not in (bitmap_bytes(self._dialect.wire, ()), 2 * size):
            return  # too short: pyiso8583 says where
        if 65 in elements_of(self._dialect.wire, bitmap):
            raise MessageError("a third bitmap is not supported", "65", start + size)

    def _explain(self, error: iso8583.DecodeError) -> MessageError:
        """What is wrong first: an element that pyiso8583 has let pass, or the one where it stopped."""
        unread = () if _only_extra(error) else (error.field,)
        decoded = {key: value for key, value in error.doc_dec.items() if key not in unread}
        partial = _message(self._with_signs(decoded), {}) if _MTI.fullmatch(decoded.get("t", "")) else None
        if partial is not None:
            read = {key: error.doc_enc[key] for key in decoded}
            try:
                self._check_content(partial, _places(read), read)
            except MessageError as earlier:
                return earlier
        reason = error.msg
        if error.field.isdigit() and error.field != "1" and int(error.field) not in self._dialect.elements:
            reason = f"not defined in dialect {self._dialect.name}"
        return MessageError(reason, error.field, error.pos, partial)

    def _check_mti(self, message: Message) -> None:
        if _MTI.fullmatch(message.mti) is None:
            raise MessageError("not four digits", "t", 0)

    def _check_content(
        self, message: Message, places: dict[str, Place], encoded: Mapping[str, Mapping[str, bytes]]
    ) -> None:
        self._check_mti(message)
        wrong: MessageError | None = None
        good = dict(message.fields)
        for number, value in message.fields.items():
            place, element = places[str(number)], self._dialect.elements[number]
            try:
                if element.counter in ("ascii", "ebcdic") and element.length_digits:
                    _check_counter(element, encoded[str(number)]["len"], place)
                _check_element(element, value, place)
            except MessageError as error:
                del good[number]
                wrong = wrong or error
        if wrong is not None:
            wrong.partial = Message(message.mti, good)
            raise wrong


def _only_extra(error: iso8583.DecodeError) -> bool:
    """True when every element could be read and bytes are left over."""
    return bool(error.msg.startswith("Extra data"))


def _check_counter(element: DataElement, counter: bytes, place: Place) -> None:
    """pyiso8583 takes `+5` and ` 5` for lengths; written again they would be other bytes."""
    digits = counter if element.counter == "ascii" else counter.decode(EBCDIC).encode()
    if not digits.isdigit():
        raise MessageError("length is not digits", str(element.number), place.start)


def _signed_hex(element: DataElement, value: str) -> str:
    """A signed value as pyiso8583 takes it; raises MessageError for digits that pyiso8583 would miscount."""
    if len(value) != element.max_length:
        raise MessageError(f"{len(value)} characters instead of {element.max_length}", str(element.number))
    return value[:1].encode(element.plain_encoding).hex().upper() + value[1:]


def _check_element(element: DataElement, value: str, place: Place | None = None) -> None:
    pattern = _CONTENT.get(element.content)
    if pattern is not None and pattern.fullmatch(value) is None:
        offset = None if place is None else place.data_start
        raise MessageError(_CONTENT_NAMES[element.content], str(element.number), offset)


def _message(decoded: Mapping[str, str], pads: dict[int, str]) -> Message:
    fields = {int(key): value for key, value in decoded.items() if key.isdigit() and key != "1"}
    return Message(decoded["t"], fields, pads or None)


def _places(encoded: Mapping[str, Mapping[str, bytes]]) -> dict[str, Place]:
    places: dict[str, Place] = {}
    position = 0
    for key in sorted(encoded, key=_wire_order):
        start = position
        data_start = start + len(encoded[key]["len"])
        position = data_start + len(encoded[key]["data"])
        places[key] = Place(start, data_start, position)
    return places


def _wire_order(key: str) -> int:
    return {"h": -3, "t": -2, "p": -1}[key] if not key.isdigit() else int(key)


def _with_pad(spec: Mapping[str, Mapping[str, Any]], key: str, nibble: str) -> Mapping[str, Mapping[str, Any]]:
    field = dict(spec[key])
    side = "left_pad" if "left_pad" in field else "right_pad"
    return {**spec, key: {**field, side: nibble}}


def spec_of(dialect: Dialect) -> dict[str, dict[str, Any]]:
    """The dialect as a pyiso8583 specification."""
    wire = dialect.wire
    bitmap = {"data_enc": _ENCODINGS[wire.bitmap], "len_enc": "ascii", "len_type": 0}
    spec: dict[str, dict[str, Any]] = {
        "h": {"data_enc": "b", "len_enc": "ascii", "len_type": 0, "max_len": 0, "desc": "header"},
        "t": {
            "data_enc": _ENCODINGS[wire.mti],
            "len_enc": "ascii",
            "len_type": 0,
            "max_len": 4,
            "desc": "message type",
        },
        "p": {**bitmap, "max_len": 8 if wire.bitmap == "binary" else 16, "desc": "bitmap"},
        "1": {**bitmap, "max_len": 8 if wire.bitmap == "binary" else 16, "desc": "secondary bitmap"},
    }
    for number in range(2, 129):
        element = dialect.elements.get(number)
        spec[str(number)] = _unknown_spec() if element is None else _element_spec(element)
    return spec


def _unknown_spec() -> dict[str, Any]:
    return {"data_enc": "b", "len_enc": "bcd", "len_type": 0, "max_len": _UNKNOWN, "desc": "not defined"}


def _element_spec(element: DataElement) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "len_enc": "bcd" if element.counter == "bcd" else _ENCODINGS[element.counter],
        "len_type": element.counter_bytes,
        "max_len": element.max_length,
        "desc": element.title,
    }
    if element.is_signed_bcd:
        spec |= {"data_enc": "b", "max_len": element.wire_bytes}
    elif element.packed:
        spec |= {"data_enc": "b", "len_count": "nibbles", f"{element.pad_side}_pad": element.pad}
    elif element.content == "b":
        spec["data_enc"] = "b"
    elif element.is_text:
        spec["data_enc"] = codec_name(element.text)
    else:
        spec["data_enc"] = element.text if is_ebcdic(element.text) else "ascii"
    return spec
