"""Finds TCP segments in captured packets: past Ethernet, Linux cooked capture and loopback, in IPv4 and IPv6."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pos_host.recording.capture_file import Packet

Endpoint = tuple[str, int]

NULL, ETHERNET, RAW, RAW_OLD, LOOP, COOKED, COOKED_2 = 0, 1, 101, 12, 108, 113, 276
"""Link types (tcpdump.org/linktypes.html)."""

IPV4, IPV6 = 0x0800, 0x86DD
VLAN_TAGS = (0x8100, 0x88A8)
TCP = 6
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

_EXTENSIONS = (0, 43, 60)
"""Hop-by-hop, routing and destination headers of IPv6, which say their length; others hide no TCP we could read."""


class Segment(NamedTuple):
    """A TCP segment with where it came from and went, addresses in hex."""

    at_ms: float
    source: Endpoint
    target: Endpoint
    sequence: int
    flags: int
    data: bytes


def segments_of(packets: Iterable[Packet]) -> Iterator[Segment]:
    """The TCP segments of the packets; whatever else there is, fragments too, is passed over."""
    for packet in packets:
        network = _network_of(packet)
        segment = None if network is None else _segment(packet.at_ms, network)
        if segment is not None:
            yield segment


def _network_of(packet: Packet) -> bytes | None:
    """The packet from its IP header on."""
    data, link = packet.data, packet.link_type
    if link in (RAW, RAW_OLD):
        return data
    if link in (NULL, LOOP):
        return data[4:]
    if link == COOKED:
        return data[16:]
    if link == COOKED_2:
        return data[20:]
    if link != ETHERNET:
        return None
    position = 12
    kind = int.from_bytes(data[position : position + 2], "big")
    while kind in VLAN_TAGS:
        position += 4
        kind = int.from_bytes(data[position : position + 2], "big")
    return data[position + 2 :] if kind in (IPV4, IPV6) else None


def _segment(at_ms: float, network: bytes) -> Segment | None:
    version = network[0] >> 4 if network else 0
    if version == 4:
        return _in_ipv4(at_ms, network)
    return _in_ipv6(at_ms, network) if version == 6 else None


def _in_ipv4(at_ms: float, data: bytes) -> Segment | None:
    head = (data[0] & 15) * 4
    if len(data) < 20 or data[9] != TCP or int.from_bytes(data[6:8], "big") & 0x3FFF:
        return None
    total = int.from_bytes(data[2:4], "big") or len(data)
    return _tcp(at_ms, data[12:16], data[16:20], data[head:total])


def _in_ipv6(at_ms: float, data: bytes) -> Segment | None:
    if len(data) < 40:
        return None
    following, position = data[6], 40
    end = position + (int.from_bytes(data[4:6], "big") or len(data))
    while following in _EXTENSIONS and position + 2 <= len(data):
        following, position = data[position], position + (data[position + 1] + 1) * 8
    return _tcp(at_ms, data[8:24], data[24:40], data[position:end]) if following == TCP else None


def _tcp(at_ms: float, source: bytes, target: bytes, data: bytes) -> Segment | None:
    if len(data) < 20:
        return None
    ports = int.from_bytes(data[:2], "big"), int.from_bytes(data[2:4], "big")
    content = data[(data[12] >> 4) * 4 :]
    sequence = int.from_bytes(data[4:8], "big")
    return Segment(at_ms, (source.hex(), ports[0]), (target.hex(), ports[1]), sequence, data[13], content)
