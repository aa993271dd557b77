"""Text on the wire: which encodings a dialect may name, and a form of GBK that never loses a byte.

Real terminals put binary data into `ans` elements. What is not GBK is therefore shown as `hex:` and
its bytes, and written back from that form.
"""

from __future__ import annotations

import codecs
from functools import lru_cache

GBK = "pos-gbk"
EBCDIC = "cp500"
"""The EBCDIC of digits and hex letters; cp037 and the national ones have these in the same places."""
RAW = "hex:"
_SIGNS = "A \\é€йก中あ\uac00"
"""Letters of many scripts: an encoding that has more than one byte for any of them is not one we can count in."""


def codec_name(text: str) -> str:
    """The Python codec that stands for a dialect's `text`: our own for GBK, the same name otherwise."""
    return GBK if text == "gbk" else text


@lru_cache(maxsize=64)
def is_wire_encoding(text: str) -> bool:
    """True for GBK and every encoding of one byte per character: lengths on the wire count bytes."""
    if text == "gbk":
        return True
    try:
        return len("0".encode(text)) == 1 and all(_at_most_one_byte(sign, text) for sign in _SIGNS)
    except (LookupError, UnicodeError):  # unknown, or a codec that does not make text of bytes
        return False


def is_ebcdic(text: str) -> bool:
    """True for the encodings in which digits are F0 to F9."""
    return text != "gbk" and "0".encode(text) == b"\xf0"


def is_plain(value: str) -> bool:
    """True when characters and bytes of `value` correspond one to one in every encoding a dialect may name."""
    return value.isascii() and not value.startswith(RAW)


def to_bytes(value: str, text: str) -> bytes:
    """The bytes of a value in a dialect's encoding; raises ValueError where it has none for a character."""
    return value.encode(codec_name(text))


def to_text(data: bytes, text: str) -> str:
    """The characters of `data`; in GBK a piece that is not text as `hex:` and its bytes, else with U+FFFD."""
    return data.decode(codec_name(text), "replace")


def gbk_text(data: bytes) -> str:
    """`data` in our GBK, quickly where it is ASCII; used by generated decoders."""
    if data.isascii() and data[:4] != b"hex:":
        return data.decode("ascii")
    return data.decode(GBK)


def gbk_bytes(value: str) -> bytes:
    """`value` in our GBK, quickly where it is ASCII; used by generated encoders."""
    return value.encode("ascii") if is_plain(value) else value.encode(GBK)


def _at_most_one_byte(sign: str, text: str) -> bool:
    try:
        return len(sign.encode(text)) == 1
    except UnicodeEncodeError:
        return True


def _decode(data: bytes | bytearray | memoryview, errors: str = "strict") -> tuple[str, int]:
    raw = bytes(data)
    try:
        text = raw.decode("gbk")
    except UnicodeDecodeError:
        return RAW + raw.hex().upper(), len(raw)
    if text.startswith(RAW) or text.encode("gbk", "replace") != raw:
        return RAW + raw.hex().upper(), len(raw)
    return text, len(raw)


def _encode(text: str, errors: str = "strict") -> tuple[bytes, int]:
    if text.startswith(RAW):
        return bytes.fromhex(text[len(RAW) :]), len(text)
    return text.encode("gbk"), len(text)


def _find(name: str) -> codecs.CodecInfo | None:
    if name.replace("_", "-") != GBK:
        return None
    return codecs.CodecInfo(name=GBK, encode=_encode, decode=_decode)  # type: ignore[arg-type]


codecs.register(_find)
