"""Messages made up for the dialects: every element with any content it may have."""

import os
from functools import cache

from hypothesis import settings
from hypothesis import strategies as st

from pos_specs.dialect import DataElement, Dialect
from pos_specs.loader import load_dialect, shipped_dialects
from pos_specs.message import Message
from pos_specs.text_codecs import codec_name

DIALECTS = shipped_dialects()

EXAMPLES = settings(max_examples=int(os.environ.get("POS_EXAMPLES", "30")))
"""Examples of each property; POS_EXAMPLES=5000 looks for what is rare."""

MOST_ELEMENTS = 14
"""Elements in a message made up here; with more of them nothing new can happen, and examples get slow."""

MTIS = ["0200", "0210", "0220", "0320", "0400", "0401", "0500", "0510", "0800", "0810", "0820"]

_DIGITS = "0123456789"
_HEX = "0123456789ABCDEF"


@cache
def dialect_of(name: str) -> Dialect:
    """A shipped dialect, loaded once."""
    return load_dialect(name)


@st.composite
def messages(draw: st.DrawFn, name: str) -> Message:
    """A message of the dialect, in any order of elements, with pad nibbles of other senders here and there."""
    elements = dialect_of(name).elements
    numbers = draw(st.lists(st.sampled_from(sorted(elements)), min_size=1, max_size=MOST_ELEMENTS, unique=True))
    fields = {number: draw(values(elements[number])) for number in numbers}
    pads = {
        number: "F" if elements[number].pad == "0" else "0"
        for number, value in fields.items()
        if elements[number].is_nibbles
        and elements[number].content != "b"
        and len(value) % 2
        and draw(st.integers(0, 3)) == 0
    }
    return Message(draw(st.sampled_from(MTIS)), fields, pads or None)


def values(element: DataElement) -> st.SearchStrategy[str]:
    """Any value the element may have."""
    least = 0 if element.length_digits else element.max_length
    sizes = {"min_size": least, "max_size": element.max_length if not element.length_digits else _short(element)}
    if element.content == "n":
        return st.text(_DIGITS, **sizes)
    if element.content == "z":
        return st.text(_HEX if element.packed else _DIGITS + "=DF", **sizes)
    if element.content == "b":
        return st.binary(**sizes).map(lambda data: data.hex().upper())
    if element.content == "h":
        return st.text(_HEX + "abcdef", **sizes)
    if element.content == "xn":
        digits = element.max_length - 1
        return st.tuples(st.sampled_from("CD+- x"), st.text(_DIGITS, min_size=digits, max_size=digits)).map("".join)
    return _texts(element, sizes)


def _texts(element: DataElement, sizes: dict[str, int]) -> st.SearchStrategy[str]:
    """Printable text, text of the dialect's language, and bytes that are no text at all."""
    plain = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), **sizes)
    raw = st.binary(**sizes).map(lambda data: data.decode(codec_name(element.text)))
    return st.one_of(plain.filter(lambda text: not text.startswith("hex:")), raw)


def _short(element: DataElement) -> int:
    """Long elements are mostly made up short; lengths at the limit have tests of their own."""
    return min(element.max_length, 24)


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes with one to three things wrong: a byte changed, put in, left out, or the end missing."""
    broken = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(broken) - 1, 0)))
        match draw(st.sampled_from(["change", "change", "put in", "leave out", "cut"])):
            case "change" if broken:
                broken[at] = draw(st.integers(0, 255))
            case "put in":
                broken.insert(at, draw(st.integers(0, 255)))
            case "leave out":
                del broken[at : at + draw(st.integers(1, 3))]
            case "cut":
                del broken[at:]
    return bytes(broken)
