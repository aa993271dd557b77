"""A text codec for elements that should hold GBK text and sometimes hold raw bytes.

Real terminals put binary data into `ans` elements. Reading them must never lose a byte, so what is
not GBK is shown as `hex:` and its bytes, and written back from that form.
"""

from __future__ import annotations

import codecs

GBK = "pos-gbk"
_RAW = "hex:"


def _decode(data: bytes | bytearray | memoryview, errors: str = "strict") -> tuple[str, int]:
    raw = bytes(data)
    try:
        text = raw.decode("gbk")
    except UnicodeDecodeError:
        return _RAW + raw.hex().upper(), len(raw)
    if text.startswith(_RAW) or text.encode("gbk", "replace") != raw:
        return _RAW + raw.hex().upper(), len(raw)
    return text, len(raw)


def _encode(text: str, errors: str = "strict") -> tuple[bytes, int]:
    if text.startswith(_RAW):
        return bytes.fromhex(text[len(_RAW) :]), len(text)
    return text.encode("gbk"), len(text)


def _find(name: str) -> codecs.CodecInfo | None:
    if name.replace("_", "-") != GBK:
        return None
    return codecs.CodecInfo(name=GBK, encode=_encode, decode=_decode)  # type: ignore[arg-type]


codecs.register(_find)
