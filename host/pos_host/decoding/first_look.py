"""What bytes look like before any dialect is asked: lengths, TPDU, headers, MTI, bitmap, or another protocol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pos_host.decoding.frame_content import ERROR_TPDU_ID, LONGEST_HEADER_BYTES, bitmap_at, mti_at
from pos_host.decoding.outer_forms import OuterFrame, ends_with_a_frame, first_frames, outer_forms
from pos_specs.bitmap import mti_bytes
from pos_specs.dialect import Wire
from pos_specs.errors import FramingError
from pos_specs.frame import TPDU_BYTES, TPDU_ID
from pos_specs.frame_headers import FrameHeader
from pos_specs.length_counters import LENGTH_COUNTERS

SHOWN_BYTES = 3
"""Of bytes that nobody knows so many are shown in a log: of a card number in BCD they are what may be shown."""

SHORTEST_HEX_TEXT = 40
"""Hex digits of a message with one element in BCD; fewer may be anything."""

_FORMS = outer_forms(65535)

_COUNTERS = {
    "binary2": "first two bytes",
    "binary2-le": "first two bytes, the low one first,",
    "binary3": "first three bytes",
    "binary4": "first four bytes",
    "binary2-zeros": "first two bytes, with two zero bytes behind them,",
    "zeros-binary2": "two bytes behind two zero bytes",
    "bcd2": "first two bytes, as BCD,",
    "ascii4": "first four bytes, as ASCII digits,",
    "hex4": "first four bytes, as hex digits in ASCII,",
}

_OTHER_PROTOCOLS = (
    (b"\x16\x03", "a TLS handshake: the peer speaks TLS, and here it is not spoken or was not taken off"),
    (b"GET ", "an HTTP request"),
    (b"POST ", "an HTTP request"),
    (b"HTTP/", "an HTTP answer"),
    (b"<?xml", "XML"),
    (b"<isomsg", "XML"),
    (b'{"', "JSON"),
    (b"\x1f\x8b", "gzip: compressed data"),
    (b"SSH-", "SSH"),
    (b"\xff\xfb", "a telnet negotiation"),
    (b"\xff\xfd", "a telnet negotiation"),
)

_HEADERS = tuple(
    (FrameHeader(pattern), name)
    for pattern, name in (
        ("hex:6xxxxxxxxxxx", "a UnionPay header"),
        ("base24", "a BASE24 header"),
        ("text:ISO8583-1993#########", "a header of 21 characters that names the edition"),
        (f"hex:16{21 * 'xx'}", "a Visa BASE I header"),
        ("hex:0100", "two bytes of version"),
        ("text:A|B", "a Postilion header"),
    )
)
"""Headers that are known by sight (hypercom.md 1.2 to 1.4)."""

_TPDU_IDS = (bytes([TPDU_ID]), bytes([ERROR_TPDU_ID]))
_ENCIPHERED_IDS = (0x63, 0x70)
"""TPDU ids of terminals that encipher what follows (hypercom.md 1.2)."""

_COUNTING = {
    (): "",
    ("itself",): ", counting themselves",
    ("trailer",): ", counting the ETX",
    ("itself", "trailer"): ", counting themselves and the ETX",
}
_USUAL_ELEMENTS = frozenset((3, 4, 7, 11, 12, 24, 37, 39, 41, 42, 70))
"""Hardly a message names none of these; random bytes hardly ever name many."""

_HEX_DIGITS = frozenset(b"0123456789abcdefABCDEF")
MTI_ENCODINGS = {"bcd": "BCD", "ascii": "ASCII", "ebcdic": "EBCDIC"}
BITMAPS = {"binary": "binary", "hex": "in hex digits", "hex-ebcdic": "in hex digits of EBCDIC"}


class Found(NamedTuple):
    """Where an MTI stands, how it and its bitmap are written, and the elements that are named."""

    at: int
    wire: Wire
    elements: tuple[int, ...]


class FirstLook(NamedTuple):
    """`facts` in words, outermost first; where an MTI with a bitmap was seen, `body` is what begins there, at
    `body_at`, and `wire` says how the two are written. `is_framed` where a length or its like was seen."""

    facts: tuple[str, ...]
    body: bytes = b""
    body_at: int = 0
    wire: Wire | None = None
    is_framed: bool = False


def look_at(data: bytes, *, mask: bool = False) -> FirstLook:
    """What is seen in `data`. With `mask` no byte that may belong to a card number is shown.

    Bytes are known to be what they look like where a length fits them; else they may be the middle of something.
    """
    other = _other_protocol(data)
    if other is not None:
        return FirstLook((other,))
    frame = _best_frame(data)
    start = _behind_wrong_length(data) if frame is None else frame.start
    content = data[start:] if frame is None else data[start : frame.stop]
    facts = _wrong_length_facts(data, start) if frame is None else _length_facts(data, frame)
    framed = frame is not None or (start > 0 and content[:1] in _TPDU_IDS)
    hide = mask and not framed
    tpdu, position = _tpdu_fact(content, hide=hide)
    found = _find_message(content, position)
    if found is None:
        return FirstLook((*facts, *tpdu, _nothing(content[position:], mask=mask)))
    message = _message_facts(content, position, found, hide=hide)
    return FirstLook((*facts, *tpdu, *message), content[found.at :], start + found.at, found.wire, framed)


def _other_protocol(data: bytes) -> str | None:
    for begin, name in _OTHER_PROTOCOLS:
        if data.startswith(begin):
            return f"looks like {name}"
    if len(data) >= SHORTEST_HEX_TEXT and len(data) % 2 == 0 and _HEX_DIGITS.issuperset(data):
        inner = bytes.fromhex(data.decode("ascii"))
        if not _begins_with_mti(data) and _best_frame(data) is None and (_begins_with_mti(inner) or _best_frame(inner)):
            return "the bytes are hex digits in ASCII: a message was turned into hex before it was sent"
    return None


def _best_frame(data: bytes) -> OuterFrame | None:
    """The form in which all of `data` are frames, first of all one with a message in it."""
    whole = [frame for frame in first_frames(data, _FORMS) if ends_with_a_frame(data, frame)]
    likely = max(whole, key=lambda frame: _likelihood(data, frame), default=None)
    if likely is not None and _likelihood(data, likely) > 0:
        return likely
    return None if _begins_with_mti(data) else next((frame for frame in whole if frame.form.length != "none"), None)


def _likelihood(data: bytes, frame: OuterFrame) -> int:
    """0 without a message; more where the message follows at once, and where text ends with a trailer."""
    content = data[frame.start : frame.stop]
    position = TPDU_BYTES if content[0] == TPDU_ID else 0
    found = _find_message(content, position)
    if found is None:
        return 0
    is_text = found.wire.mti != "bcd" or frame.form.trailer == "etx-lrc"
    direct = found.at == position or _known_header(content[position : found.at]) is not None
    return 1 + 4 * direct + 2 * (frame.form.length != "none") + (frame.form.trailer != "none" and is_text)


def _holds_message(content: bytes) -> bool:
    return _find_message(content, TPDU_BYTES if content[:1] == bytes([TPDU_ID]) else 0) is not None


def _length_facts(data: bytes, frame: OuterFrame) -> list[str]:
    form = frame.form
    facts = ["begins with STX (02)"] if form.start == "stx" else []
    if form.length != "none":
        counter = data[1 : frame.start] if form.start == "stx" else data[: frame.start]
        what = "the length that follows" if frame.end == len(data) else "the length of a frame, behind which is another"
        facts.append(f"{_COUNTERS[form.length]} {_spaced(counter)} match {what}{_COUNTING[form.counts]}")
    if form.trailer != "none":
        facts.append("ends with ETX (03)" + (" and a right LRC" if form.trailer == "etx-lrc" else ""))
    return facts


def _behind_wrong_length(data: bytes) -> int:
    """Where the content seems to begin behind a length that is wrong; 0 where nothing speaks for one."""
    if data[:1] in _TPDU_IDS and _find_message(data, TPDU_BYTES) is not None:
        return 0
    for size in (2, 4):
        if (
            data[size : size + 1] in _TPDU_IDS
            and _may_be_length(data, size)
            and _find_message(data[size:], TPDU_BYTES) is not None
        ):
            return size
    if _begins_with_mti(data):
        return 0
    return next((size for size in (2, 4) if _may_be_length(data, size) and _begins_with_mti(data[size:])), 0)


def _may_be_length(data: bytes, size: int) -> bool:
    """No frame is longer than two bytes can say, so that longer lengths begin with zeros."""
    return size == 2 or data[:4].isdigit() or data[:2] == b"\0\0"


def _begins_with_mti(data: bytes) -> bool:
    found = _find_message(data, 0)
    return found is not None and found.at == 0


def _wrong_length_facts(data: bytes, size: int) -> list[str]:
    if size == 0:
        return [] if _holds_message(data) else ["no known form of length matches what follows"]
    counter = "ascii4" if size == 4 and data[:4].isdigit() else f"binary{size}"
    length = LENGTH_COUNTERS[counter].read(data[:size])
    return [f"{_COUNTERS[counter]} {_spaced(data[:size])} say {length}, but {len(data) - size} bytes follow"]


def _tpdu_fact(content: bytes, *, hide: bool) -> tuple[list[str], int]:
    tpdu = content[:TPDU_BYTES]
    if len(tpdu) < TPDU_BYTES or _begins_with_mti(content):
        return [], 0
    shown = _shown(tpdu, hide=hide)
    if tpdu[0] == TPDU_ID:
        return [f"{shown} looks like a TPDU"], TPDU_BYTES
    if tpdu[0] == ERROR_TPDU_ID:
        return [f"{shown} looks like the TPDU of an error packet (68)"], TPDU_BYTES
    if tpdu[0] in _ENCIPHERED_IDS and not _holds_message(content):
        return [f"{tpdu[0]:02X} may begin the TPDU of an enciphered message"], TPDU_BYTES
    return [], 0


def _message_facts(content: bytes, position: int, found: Found, *, hide: bool) -> list[str]:
    header = content[position : found.at]
    elements = f"names {len(found.elements)} elements" if hide else f"says {', '.join(map(str, found.elements))}"
    return [
        *([_header_fact(header, hide=hide)] if header else []),
        f"MTI {mti_at(content[found.at :], found.wire.mti)} in {MTI_ENCODINGS[found.wire.mti]}",
        f"bitmap ({BITMAPS[found.wire.bitmap]}) {elements}",
    ]


def _header_fact(header: bytes, *, hide: bool) -> str:
    known = _known_header(header)
    if known:
        return f"{_shown(header, hide=hide)} looks like {known}"
    many = "1 byte" if len(header) == 1 else f"{len(header)} bytes"
    return f"{_shown(header, hide=hide)}, {many} before the MTI, a header that is not known"


def _shown(data: bytes, *, hide: bool) -> str:
    """The bytes, or those that may be shown of them."""
    return f"{_spaced(data[:SHOWN_BYTES])} …" if hide and len(data) > SHOWN_BYTES else _spaced(data)


def _known_header(header: bytes) -> str | None:
    for pattern, name in _HEADERS:
        if pattern.size == len(header):
            try:
                pattern.check(header)
            except FramingError:
                continue
            return name
    return None


def _nothing(content: bytes, *, mask: bool) -> str:
    for encoding, words in MTI_ENCODINGS.items():
        mti = mti_at(content, encoding)
        if mti is not None:
            return f"MTI {mti} in {words}, but no whole bitmap behind it"
    shown = content[: SHOWN_BYTES if mask else 3 * SHOWN_BYTES]
    return f"no MTI with a bitmap behind it; what is there begins with {_spaced(shown) or 'nothing'}"


def _find_message(content: bytes, position: int) -> Found | None:
    """The likeliest place of an MTI: behind nothing or a known header, else where the usual elements are named."""
    found = list(_places(content, position))
    direct = (place for place in found if place.at == position or _known_header(content[position : place.at]))
    return next(direct, None) or max(found, key=_usual, default=None)


def _usual(found: Found) -> int:
    return len(_USUAL_ELEMENTS.intersection(found.elements)) - len(found.elements) // 8


def _places(content: bytes, position: int) -> Iterator[Found]:
    """Where an MTI with a bitmap may stand, the nearest first."""
    for at in range(position, position + LONGEST_HEADER_BYTES + 1):
        body = content[at:]
        for wire in _WIRES:
            if mti_at(body, wire.mti) is not None and not _is_text_as_binary(wire, body):
                elements = bitmap_at(body, wire)
                if elements and len(elements) < len(body) and _USUAL_ELEMENTS.intersection(elements):
                    yield Found(at, wire, elements)


def _is_text_as_binary(wire: Wire, body: bytes) -> bool:
    """A bitmap in hex digits is one that is binary too, but hardly ever meant so."""
    start = mti_bytes(wire)
    return wire.bitmap == "binary" and _HEX_DIGITS.issuperset(body[start : start + 8])


def _wire(mti: str, bitmap: str) -> Wire:
    return Wire(mti, bitmap, "bcd", "bcd", "ascii", "left", "right", "0")  # type: ignore[arg-type]


_WIRES = (
    _wire("ascii", "hex"),
    _wire("ascii", "binary"),
    _wire("bcd", "binary"),
    _wire("ebcdic", "hex-ebcdic"),
    _wire("ebcdic", "binary"),
)


def _spaced(data: bytes) -> str:
    return data.hex(" ").upper()
