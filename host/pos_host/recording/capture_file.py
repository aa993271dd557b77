"""Reads packets out of capture files: pcap and pcapng, as Wireshark and tcpdump write them.

Written here and not taken from a library: docs/recording.md says why. Sources: draft-ietf-opsawg-pcap, pcapng
(draft-ietf-opsawg-pcapng), and the list of link types at tcpdump.org.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

LARGEST_PACKET = 262_144
"""Bytes of a packet or block: tcpdump's own largest; a file that says more is damaged."""

LATEST_MS = (2**32 - 1) * 1000
"""The latest time, in UTC milliseconds, that time stamps of pcap can say; those of pcapng go past every calendar."""

PCAP_MAGICS = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1_000_000}
"""How many units of a time stamp's fraction make a millisecond: micro- or nanoseconds."""

PCAPNG_MAGIC = 0x0A0D0D0A
BYTE_ORDER_MAGIC = 0x1A2B3C4D
INTERFACE, SIMPLE_PACKET, ENHANCED_PACKET = 1, 3, 6
TIME_RESOLUTION, TIME_OFFSET = 9, 14
"""Options of an interface: units of its time stamps, and seconds to add to them."""


class CaptureError(ValueError):
    """A file is no capture, or is damaged; the text begins with its name."""


class Packet(NamedTuple):
    """One captured packet: when, over which kind of link, and its bytes, which may be cut off."""

    at_ms: float
    link_type: int
    data: bytes


def read_capture(path: Path) -> Iterator[Packet]:
    """The packets of a pcap or pcapng file; raises CaptureError with file and byte."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
            file.seek(0)
            if start == PCAPNG_MAGIC.to_bytes(4, "big"):
                yield from _Pcapng(str(path), file).packets()
            else:
                yield from _pcap(str(path), file)
    except OSError as error:
        raise CaptureError(f"{path}: {error.strerror or 'cannot be read'}") from None


def _pcap(name: str, file: BinaryIO) -> Iterator[Packet]:
    head = file.read(24)
    order = next(
        (sign for sign in "<>" if len(head) == 24 and struct.unpack(f"{sign}I", head[:4])[0] in PCAP_MAGICS), ""
    )
    if not order:
        raise CaptureError(f"{name}: is neither a pcap nor a pcapng file")
    per_ms = PCAP_MAGICS[struct.unpack(f"{order}I", head[:4])[0]]
    link_type = struct.unpack(f"{order}I", head[20:])[0] & 0xFFFF
    while record := file.read(16):
        at = file.tell() - len(record)
        if len(record) < 16:
            raise CaptureError(f"{name}: byte {at}: the file ends in the head of a packet")
        seconds, fraction, length, _ = struct.unpack(f"{order}4I", record)
        yield Packet(seconds * 1000 + fraction / per_ms, link_type, _exactly(name, file, length))


def _exactly(name: str, file: BinaryIO, length: int) -> bytes:
    at = file.tell()
    if length > LARGEST_PACKET:
        raise CaptureError(f"{name}: byte {at}: {length} bytes, and {LARGEST_PACKET} is the most")
    data = file.read(length)
    if len(data) < length:
        raise CaptureError(f"{name}: byte {at}: the file ends in a packet")
    return data


class _Interface(NamedTuple):
    """Where packets were captured: kind of link, units of its time stamps a second, seconds to add."""

    link_type: int
    per_s: int
    offset_s: int


class _Pcapng:
    """The blocks of a pcapng file; each section has interfaces and a byte order of its own."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        self._name = name
        self._file = file
        self._order = "<"
        self._interfaces: list[_Interface] = []

    def packets(self) -> Iterator[Packet]:
        while head := self._file.read(8):
            at = self._file.tell() - len(head)
            if len(head) < 8:
                raise CaptureError(f"{self._name}: byte {at}: the file ends in the head of a block")
            kind, body = self._block(at, head)
            if kind == INTERFACE:
                self._interfaces.append(self._interface(at, body))
            elif kind == ENHANCED_PACKET:
                yield self._enhanced(at, body)
            elif kind == SIMPLE_PACKET:
                yield Packet(0.0, self._interface_of(at, 0).link_type, body[4:])

    def _block(self, at: int, head: bytes) -> tuple[int, bytes]:
        if head[:4] == PCAPNG_MAGIC.to_bytes(4, "big"):
            magic = self._file.read(4)
            self._file.seek(-len(magic), 1)
            self._order = "<" if magic == BYTE_ORDER_MAGIC.to_bytes(4, "little") else ">"
            self._interfaces = []
        kind, length = struct.unpack(f"{self._order}2I", head)
        if length < 12 or length % 4:
            raise CaptureError(f"{self._name}: byte {at}: a block of {length} bytes is none")
        body = _exactly(self._name, self._file, length - 8)
        return kind, body[:-4]

    def _interface(self, at: int, body: bytes) -> _Interface:
        if len(body) < 8:
            raise CaptureError(f"{self._name}: byte {at}: the description of an interface is too short")
        link_type = struct.unpack(f"{self._order}H", body[:2])[0]
        per_s, offset_s = 1_000_000, 0
        for code, value in self._options(body[8:]):
            if code == TIME_RESOLUTION and value:
                per_s = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
            elif code == TIME_OFFSET and len(value) == 8:
                offset_s = struct.unpack(f"{self._order}q", value)[0]
        return _Interface(link_type, per_s, offset_s)

    def _options(self, body: bytes) -> Iterator[tuple[int, bytes]]:
        position = 0
        while position + 4 <= len(body):
            code, length = struct.unpack(f"{self._order}2H", body[position : position + 4])
            if code == 0:
                return
            yield code, body[position + 4 : position + 4 + length]
            position += 4 + (length + 3) // 4 * 4

    def _enhanced(self, at: int, body: bytes) -> Packet:
        if len(body) < 20:
            raise CaptureError(f"{self._name}: byte {at}: a packet's block is too short")
        number, high, low, length, _ = struct.unpack(f"{self._order}5I", body[:20])
        interface = self._interface_of(at, number)
        if length > len(body) - 20:
            raise CaptureError(f"{self._name}: byte {at}: a packet is longer than its block")
        at_ms = (high << 32 | low) * 1000 / interface.per_s + interface.offset_s * 1000
        if not 0 <= at_ms <= LATEST_MS:
            raise CaptureError(f"{self._name}: byte {at}: a packet of a time before 1970 or after 2106")
        return Packet(at_ms, interface.link_type, body[20 : 20 + length])

    def _interface_of(self, at: int, number: int) -> _Interface:
        if number >= len(self._interfaces):
            raise CaptureError(f"{self._name}: byte {at}: interface {number} is not described")
        return self._interfaces[number]
