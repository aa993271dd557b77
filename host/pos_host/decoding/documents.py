"""The JSON form of a message: what `decode --json` prints and `encode` takes back to the same bytes."""

from __future__ import annotations

import re
from typing import Any

from pos_host.decoding.describe import all_parts, function_name
from pos_host.decoding.outer_forms import COUNTED_MOST
from pos_host.decoding.recognise import LONGEST_FRAME_BYTES, STARTS, Reading
from pos_specs.bitmap import bitmap_bytes, mti_bytes
from pos_specs.envelope import Framing
from pos_specs.errors import FramingError, MessageError
from pos_specs.framing import TPDU_BYTES
from pos_specs.framing_reader import COUNTED
from pos_specs.language import Language, open_language
from pos_specs.length_counters import LENGTH_COUNTERS
from pos_specs.masking import mask_fields, mask_parts
from pos_specs.message import Message

Document = dict[str, Any]

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})*")
_NUMBER = re.compile(r"[1-9][0-9]{0,2}")


class DocumentError(Exception):
    """A document that is no message; the text says which key is wrong."""


def message_document(reading: Reading, message: Message, *, mask: bool) -> Document:
    """A message that could be read; `pads` and `bitmap` only where they are not the dialect's own."""
    language = reading.language
    document: Document = {
        "dialect": language.name,
        "framing": framing_document(reading),
        "mti": message.mti,
        "function": function_name(language, message),
        "fields": _fields(language, message, mask=mask),
        "parts": mask_parts(language, message) if mask else all_parts(language, message),
    }
    if message.pads:
        document["pads"] = {str(number): nibble for number, nibble in message.pads.items()}
    bitmap = _unusual_bitmap(language, message, reading.frame.body)
    if bitmap is not None:
        document["bitmap"] = bitmap
    return document


def error_document(reading: Reading, error: MessageError | FramingError, *, mask: bool) -> Document:
    """What stands in the place of a message that could not be read: the error, and what was read before it."""
    place: Document = {"field": None, "offset": error.offset}
    partial = reading.message
    if isinstance(error, MessageError):
        place["field"] = error.field
        if error.offset is not None:
            place["offset"] = reading.body_offset + error.offset
    document: Document = {"error": {"message": error.reason, **place}, "dialect": reading.language.name}
    document["framing"] = framing_document(reading)
    if partial is not None:
        document["mti"] = partial.mti
    document["fields"] = {} if partial is None else _fields(reading.language, partial, mask=mask)
    return document


def framing_document(reading: Reading) -> Document:
    """Where the bytes begin, and the pieces of the framing that were there; its form where it is not the dialect's."""
    framing: Document = {"starts_at": reading.starts_at}
    if reading.length is not None:
        framing["length"] = reading.length
    if reading.frame.tpdu:
        framing["tpdu"] = reading.frame.tpdu.hex().upper()
    if reading.frame.header:
        framing["header"] = reading.frame.header.hex().upper()
    if reading.is_framed_otherwise:
        form = reading.framed_as
        framing |= {"counter": form.length, "counts": list(form.counts), "start": form.start, "trailer": form.trailer}
    if reading.lead != reading.lead.lower() and reading.framed_as.length == "hex4":
        framing["capitals"] = True
    if reading.trail and reading.starts_at != "length":
        framing["trailer_bytes"] = reading.trail.hex().upper()
    return framing


def document_bytes(document: object, dialect: str | None = None) -> bytes:
    """The bytes of a message document; `dialect` overrides the one it names.

    Raises DocumentError, or the error of what cannot be written.
    """
    if not isinstance(document, dict):
        raise DocumentError("a message must be a JSON object")
    if "error" in document:
        raise DocumentError("this is the report of a message that could not be read")
    name = dialect or document.get("dialect")
    if not isinstance(name, str):
        raise DocumentError("names no dialect; give one with --dialect")
    language = open_language(name)
    message = Message(_mti(document), _numbered(document, "fields"), _numbered(document, "pads") or None)
    body = _with_bitmap(language, message, language.encode(message), document.get("bitmap"))
    return _framed(language, body, document.get("framing", {}))


def _fields(language: Language, message: Message, *, mask: bool) -> dict[str, str]:
    if mask:
        return mask_fields(language, message)
    return {str(number): value for number, value in message.fields.items()}


def _mti(document: Document) -> str:
    mti = document.get("mti")
    if not isinstance(mti, str):
        raise DocumentError("mti must be a text of four digits")
    return mti


def _numbered(document: Document, key: str) -> dict[int, str]:
    """A mapping from element numbers to texts, in the order of the elements."""
    table = document.get(key, {})
    if not isinstance(table, dict):
        raise DocumentError(f"{key} must be an object")
    for number, value in table.items():
        if _NUMBER.fullmatch(number) is None:
            raise DocumentError(f"{key}: {number!r} is not an element number")
        if not isinstance(value, str):
            raise DocumentError(f"{key}.{number} must be a text")
    return {int(number): table[number] for number in sorted(table, key=int)}


def _bitmap_place(language: Language, message: Message) -> tuple[int, int]:
    """Where the bitmap stands that our encoder writes."""
    wire = language.dialect.wire
    start = mti_bytes(wire)
    return start, start + bitmap_bytes(wire, tuple(message.fields))


def _unusual_bitmap(language: Language, message: Message, body: bytes) -> str | None:
    """The bitmap as sent in hex, where ours would be another: a second one that is empty, small hex letters."""
    ours = language.encode(message)
    if ours == body:
        return None
    start, end = _bitmap_place(language, message)
    return body[start : len(body) - (len(ours) - end)].hex().upper()


def _with_bitmap(language: Language, message: Message, body: bytes, bitmap: object) -> bytes:
    if bitmap is None:
        return body
    start, end = _bitmap_place(language, message)
    return body[:start] + _hex_bytes("bitmap", bitmap) + body[end:]


def _framed(language: Language, body: bytes, framing: object) -> bytes:
    if not isinstance(framing, dict):
        raise DocumentError("framing must be an object")
    starts_at = framing.get("starts_at", "length" if "length" in framing else "mti")
    if starts_at not in STARTS:
        raise DocumentError(f"framing.starts_at must be one of {', '.join(STARTS)}")
    tpdu = _hex_bytes("framing.tpdu", framing.get("tpdu", ""), TPDU_BYTES)
    header = _hex_bytes("framing.header", framing.get("header", ""))
    content = tpdu + header + body
    if starts_at != "length":
        return content + _hex_bytes("framing.trailer_bytes", framing.get("trailer_bytes", ""))
    envelope = _framing_of(language.dialect.framing, framing).envelope
    whole = envelope.join(content)
    lead = whole[: envelope.lead_bytes]
    return (lead.upper() if framing.get("capitals") else lead) + whole[envelope.lead_bytes :]


def _framing_of(own: Framing, framing: Document) -> Framing:
    """The dialect's framing, or the form that the document names."""
    if "counter" not in framing:
        return own
    length = _choice(framing, "counter", (*LENGTH_COUNTERS, "none"), "")
    start = _choice(framing, "start", ("none", "stx"), "none")
    trailer = _choice(framing, "trailer", ("none", "etx", "etx-lrc"), "none")
    counts = framing.get("counts", [])
    if not isinstance(counts, list) or any(counted not in COUNTED for counted in counts):
        raise DocumentError(f"framing.counts must be a list of {', '.join(COUNTED)}")
    most = LENGTH_COUNTERS[length].most - COUNTED_MOST if length != "none" else LONGEST_FRAME_BYTES
    return Framing(length, "none", "none", min(most, LONGEST_FRAME_BYTES), tuple(counts), start, trailer)  # type: ignore[arg-type]


def _choice(framing: Document, key: str, known: tuple[str, ...], default: str) -> str:
    value = framing.get(key, default)
    if value not in known:
        raise DocumentError(f"framing.{key} must be one of {', '.join(known)}")
    return str(value)


def _hex_bytes(key: str, value: object, size: int | None = None) -> bytes:
    if not isinstance(value, str) or _HEX.fullmatch(value) is None:
        raise DocumentError(f"{key} must be hex")
    if value and size is not None and len(value) != 2 * size:
        raise DocumentError(f"{key} must have {size} bytes")
    return bytes.fromhex(value)
