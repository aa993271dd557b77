"""BER-TLV as EMV uses it: tag, length, value; flat, since DE55 carries primitive data objects."""

from __future__ import annotations

from pos_specs.errors import SpecsError


class TlvError(SpecsError):
    """The bytes stop being TLV at `offset`; `read` holds the pairs before it."""

    def __init__(self, reason: str, offset: int, read: list[tuple[str, str]]) -> None:
        super().__init__(f"{reason} at byte {offset}")
        self.offset = offset
        self.read = read


def parse_tlv(data: bytes) -> list[tuple[str, str]]:
    """Tag and value pairs, both upper-case hex, in order; raises TlvError where the bytes do not fit.

    Source: EMV Book 3 annex B (tags of one or more bytes, lengths of one to three bytes).
    """
    pairs: list[tuple[str, str]] = []
    position = 0
    while position < len(data):
        start = position
        tag_end = _tag_end(data, position)
        if tag_end is None:
            raise TlvError("tag runs past the end", start, pairs)
        length, value_start = _length(data, tag_end)
        if length is None or value_start + length > len(data):
            raise TlvError("length runs past the end", start, pairs)
        position = value_start + length
        pairs.append((data[start:tag_end].hex().upper(), data[value_start:position].hex().upper()))
    return pairs


def build_tlv(pairs: list[tuple[str, str]]) -> bytes:
    """The bytes of tag and value pairs given as hex; values are limited to 65,535 bytes by the length form."""
    out = bytearray()
    for tag, value in pairs:
        raw = bytes.fromhex(value)
        out += bytes.fromhex(tag)
        if len(raw) < 128:
            out.append(len(raw))
        elif len(raw) < 256:
            out += bytes((0x81, len(raw)))
        else:
            out += bytes((0x82, *len(raw).to_bytes(2, "big")))
        out += raw
    return bytes(out)


def _tag_end(data: bytes, position: int) -> int | None:
    if data[position] & 0x1F != 0x1F:
        return position + 1
    position += 1
    while position < len(data):
        if not data[position] & 0x80:
            return position + 1
        position += 1
    return None


def _length(data: bytes, position: int) -> tuple[int | None, int]:
    if position >= len(data):
        return None, position
    first = data[position]
    if first < 0x80:
        return first, position + 1
    size = first & 0x7F
    if size not in (1, 2, 3) or position + 1 + size > len(data):
        return None, position
    return int.from_bytes(data[position + 1 : position + 1 + size], "big"), position + 1 + size
