"""Writes a recording as a pcap file: TCP conversations on made-up addresses, from SYN to FIN, with right checksums."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from pos_host.recording.tcp_segments import ACK, FIN, IPV4, PSH, SYN, TCP
from pos_specs.recording import RecordedFrame

HOST_ADDRESS = bytes((10, 0, 0, 1))
TERMINAL_NETWORK = 10 << 24 | 1 << 16
"""10.1.0.0: the terminal of connection n is the n-th address of it; all in private use (RFC 1918)."""

HOST_MAC, TERMINAL_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
"""Locally administered addresses: no maker's card has them."""

FIRST_TERMINAL_PORT = 49_152
"""Where ports begin that no service is assigned to (RFC 6335)."""

LARGEST_SEGMENT = 1460
"""TCP data of one Ethernet frame over IPv4."""

WINDOW = 65_535
TIME_TO_LIVE = 64
PCAP_HEAD = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)


def capture_of(frames: Iterable[RecordedFrame], port: int) -> Iterator[bytes]:
    """The bytes of the pcap file, piece by piece; `port` is the host's. Frames without bytes are left out."""
    yield PCAP_HEAD
    conversations: dict[int, _Conversation] = {}
    last_ms = 0
    for frame in frames:
        if not frame.frame:
            continue
        last_ms = max(last_ms, frame.at_ms)
        known = conversations.get(frame.connection)
        if known is None:
            known = conversations[frame.connection] = _Conversation(frame.connection, port)
            yield from known.begin(last_ms)
        yield from known.say(last_ms, frame.direction == "to_host", frame.frame)
    for known in conversations.values():
        yield from known.end(last_ms)


class _Conversation:
    """One TCP connection: its addresses, and how far each side is."""

    def __init__(self, number: int, port: int) -> None:
        terminal = (TERMINAL_NETWORK + number).to_bytes(4, "big")
        self._addresses = {True: (terminal, HOST_ADDRESS), False: (HOST_ADDRESS, terminal)}
        own = FIRST_TERMINAL_PORT + number % (65_536 - FIRST_TERMINAL_PORT)
        self._ports = {True: (own, port), False: (port, own)}
        self._sequence = {True: 1000, False: 5000}
        self._packets = 0

    def begin(self, at_ms: int) -> Iterator[bytes]:
        """The three-way handshake."""
        yield self._packet(at_ms, True, SYN, b"")
        yield self._packet(at_ms, False, SYN | ACK, b"")
        yield self._packet(at_ms, True, ACK, b"")

    def say(self, at_ms: int, to_host: bool, data: bytes) -> Iterator[bytes]:
        """Data in one segment or more."""
        for start in range(0, len(data), LARGEST_SEGMENT):
            yield self._packet(at_ms, to_host, PSH | ACK, data[start : start + LARGEST_SEGMENT])

    def end(self, at_ms: int) -> Iterator[bytes]:
        """Both sides' last words."""
        yield self._packet(at_ms, True, FIN | ACK, b"")
        yield self._packet(at_ms, False, FIN | ACK, b"")
        yield self._packet(at_ms, True, ACK, b"")

    def _packet(self, at_ms: int, to_host: bool, flags: int, data: bytes) -> bytes:
        source, target = self._addresses[to_host]
        acknowledged = self._sequence[not to_host] if flags & ACK else 0
        segment = _tcp(source, target, self._ports[to_host], self._sequence[to_host], acknowledged, flags, data)
        self._sequence[to_host] = (self._sequence[to_host] + len(data) + bool(flags & (SYN | FIN))) % (1 << 32)
        self._packets += 1
        macs = HOST_MAC + TERMINAL_MAC if to_host else TERMINAL_MAC + HOST_MAC
        packet = macs + IPV4.to_bytes(2, "big") + _ipv4(source, target, self._packets, segment)
        seconds, ms = divmod(at_ms, 1000)
        return struct.pack("<IIII", seconds, ms * 1000, len(packet), len(packet)) + packet


def _tcp(
    source: bytes, target: bytes, ports: tuple[int, int], sequence: int, acknowledged: int, flags: int, data: bytes
) -> bytes:
    """A segment with its checksum over itself and the pseudo header (RFC 9293, 3.1)."""
    head = struct.pack(">HHIIBBHHH", *ports, sequence, acknowledged, 5 << 4, flags, WINDOW, 0, 0)
    pseudo = source + target + struct.pack(">BBH", 0, TCP, len(head) + len(data))
    checksum = checksum_of(pseudo + head + data)
    return head[:16] + checksum.to_bytes(2, "big") + head[18:] + data


def _ipv4(source: bytes, target: bytes, number: int, content: bytes) -> bytes:
    """A packet with the checksum of its head (RFC 791, 3.1)."""
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(content), number % 65_536, 0x4000, TIME_TO_LIVE, TCP, 0)
    head += source + target
    return head[:10] + checksum_of(head).to_bytes(2, "big") + head[12:] + content


def checksum_of(data: bytes) -> int:
    """The Internet checksum: the complement of the sum of all 16-bit words (RFC 1071)."""
    whole = data + bytes(len(data) % 2)
    total: int = sum(struct.unpack(f">{len(whole) // 2}H", whole))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
