"""Captures: into recordings, out of recordings, and damaged ones."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pos_host.cli import run_command
from pos_host.recording.capture_export import PCAP_HEAD, capture_of, checksum_of
from pos_host.recording.capture_file import CaptureError, Packet, read_capture
from pos_host.recording.capture_import import import_streams
from pos_host.recording.recorder import Recorder
from pos_host.recording.tcp_segments import SYN, Segment, segments_of
from pos_host.recording.tcp_streams import MOST_AHEAD_BYTES, Chunk, streams_of
from pos_specs.framing import Frame, join_frame
from pos_specs.language import open_language
from pos_specs.message import Message
from pos_specs.recording import RecordedFrame, heading, line_of, read_recording

HYPERCOM = open_language("hypercom")
PORT = 8584
CANARY = "6225880137063146"


def a_frame(stan: int, at_ms: int, connection: int, *, answer: bool = False) -> RecordedFrame:
    fields = {2: CANARY, 3: "000000", 4: "000000001234", 11: f"{stan:06d}", 24: "003", 41: "H0000001"}
    fields |= {39: "00"} if answer else {25: "00", 42: "898000000000001"}
    body = HYPERCOM.encode(Message("0210" if answer else "0200", dict(sorted(fields.items()))))
    data = join_frame(HYPERCOM.dialect.framing, Frame(bytes.fromhex("6000030000"), b"", body))
    return RecordedFrame(at_ms, connection, "to_terminal" if answer else "to_host", "hypercom", "", data, len(data))


FRAMES = [
    a_frame(1, 0, 1),
    a_frame(2, 5, 2),
    a_frame(1, 9, 1, answer=True),
    a_frame(2, 20, 2, answer=True),
    a_frame(3, 1500, 1),
]


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def packets_of(path: Path) -> list[Packet]:
    return list(read_capture(path))


def chunks_of(packets: list[Packet]) -> list[Chunk]:
    return list(streams_of(segments_of(packets), PORT))


def exported(tmp_path: Path) -> list[Packet]:
    return packets_of(written(tmp_path / "out.pcap", b"".join(capture_of(FRAMES, PORT))))


def test_an_exported_recording_is_the_same_conversations_again(tmp_path: Path) -> None:
    found = chunks_of(exported(tmp_path))

    assert [(f.at_ms, f.connection, f.direction == "to_host", f.frame) for f in FRAMES] == [
        (chunk.at_ms, chunk.connection, chunk.to_server, chunk.data) for chunk in found
    ]


def test_every_checksum_of_an_export_is_right(tmp_path: Path) -> None:
    for packet in exported(tmp_path):
        head, segment = packet.data[14:34], packet.data[34:]
        pseudo = head[12:20] + struct.pack(">BBH", 0, 6, len(segment))
        assert (0, 0) == (checksum_of(head), checksum_of(pseudo + segment))


def test_an_export_begins_and_ends_each_connection(tmp_path: Path) -> None:
    flags = [
        segment.flags for segment in segments_of(exported(tmp_path)) if 49_153 in (segment.source[1], segment.target[1])
    ]

    assert ([2, 18, 16], [17, 17, 16]) == (flags[:3], flags[-3:])


@settings(max_examples=30)
@given(st.randoms(use_true_random=False))
def test_order_and_repetitions_of_segments_change_nothing(chance: object) -> None:
    data = bytes(range(200)) * 3
    segments = [a_segment(1, b"", SYN)] + [a_segment(2 + n, data[n : n + 50]) for n in range(0, len(data), 50)]
    tail = [segment for segment in segments[1:] for _ in range(2)]
    chance.shuffle(tail)  # type: ignore[attr-defined]

    assert data == b"".join(chunk.data for chunk in streams_of([segments[0], *tail], PORT))


def a_segment(sequence: int, data: bytes, flags: int = 16, port: int = 50_000) -> Segment:
    return Segment(0.0, ("0a000001", port), ("0a000002", PORT), sequence % (1 << 32), flags, data)


def test_segments_that_overlap_give_each_byte_once() -> None:
    segments = [a_segment(0, b"abcd"), a_segment(2, b"cdef"), a_segment(1, b"bc")]

    assert b"abcdef" == b"".join(chunk.data for chunk in streams_of(segments, PORT))


def test_sequence_numbers_may_begin_anew() -> None:
    last = (1 << 32) - 2
    segments = [a_segment(last - 1, b"", SYN), a_segment(last, b"ab"), a_segment(last + 2, b"cd")]

    assert b"abcd" == b"".join(chunk.data for chunk in streams_of(segments, PORT))


def test_a_missing_segment_is_a_gap_and_what_follows_is_kept() -> None:
    segments = [a_segment(0, b"ab"), a_segment(5, b"fg")]

    assert [(b"ab", 0), (b"fg", 3)] == [(chunk.data, chunk.gap) for chunk in streams_of(segments, PORT)]


def test_what_waits_for_a_missing_segment_is_bounded() -> None:
    size = 60_000
    ahead = [a_segment(10 + n * size, bytes(size)) for n in range(MOST_AHEAD_BYTES // size + 2)]

    chunks = streams_of(iter([a_segment(0, b"ab"), *ahead]), PORT)

    assert [0, 8] == [next(chunks).gap, next(chunks).gap]


def test_the_same_ports_again_are_another_connection() -> None:
    segments = [a_segment(0, b"", SYN), a_segment(1, b"a"), a_segment(77, b"", SYN), a_segment(78, b"b")]

    assert [(1, b"a"), (2, b"b")] == [(chunk.connection, chunk.data) for chunk in streams_of(segments, PORT)]


def test_other_ports_are_left_alone() -> None:
    assert [] == list(streams_of([a_segment(0, b"abc")._replace(target=("0a000002", 80))], PORT))


def ethernet(packet: Packet) -> bytes:
    return packet.data


@pytest.mark.parametrize(
    ("link_type", "wrap"),
    [
        (1, ethernet),
        (1, lambda packet: packet.data[:12] + b"\x81\x00\x00\x05" + packet.data[12:]),
        (101, lambda packet: packet.data[14:]),
        (0, lambda packet: b"\x02\x00\x00\x00" + packet.data[14:]),
        (113, lambda packet: bytes(14) + packet.data[12:]),
        (276, lambda packet: packet.data[12:14] + bytes(18) + packet.data[14:]),
    ],
    ids=["ethernet", "vlan", "raw", "loopback", "cooked", "cooked-2"],
)
def test_every_usual_link_is_read(tmp_path: Path, link_type: int, wrap: object) -> None:
    packets = [Packet(packet.at_ms, link_type, wrap(packet)) for packet in exported(tmp_path)]  # type: ignore[operator]

    assert [frame.frame for frame in FRAMES] == [chunk.data for chunk in chunks_of(packets)]


def test_ipv6_is_read_past_its_extensions(tmp_path: Path) -> None:
    packets = []
    for packet in exported(tmp_path):
        tcp, addresses = packet.data[34:], packet.data[26:34]
        content = bytes((6, 0)) + bytes(6) + tcp
        head = (
            struct.pack(">IHBB", 6 << 28, len(content), 0, 64) + bytes(12) + addresses[:4] + bytes(12) + addresses[4:]
        )
        packets.append(Packet(packet.at_ms, 101, head + content))

    assert [frame.frame for frame in FRAMES] == [chunk.data for chunk in chunks_of(packets)]


def pcapng(packets: list[Packet], order: str) -> bytes:
    """The packets as a pcapng file with nanosecond time stamps."""

    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        return struct.pack(f"{order}2I", kind, len(body) + 12) + body + struct.pack(f"{order}I", len(body) + 12)

    def parts() -> Iterator[bytes]:
        yield block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))
        yield block(
            1, struct.pack(f"{order}HHI", 1, 0, 0) + struct.pack(f"{order}HH", 9, 1) + b"\x09\x00\x00\x00" + bytes(4)
        )
        yield block(5, bytes(8))
        for packet in packets:
            at = round(packet.at_ms * 1_000_000)
            head = struct.pack(f"{order}5I", 0, at >> 32, at & 0xFFFFFFFF, len(packet.data), len(packet.data))
            yield block(6, head + packet.data)

    return b"".join(parts())


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_is_read_in_either_byte_order(tmp_path: Path, order: str) -> None:
    packets = exported(tmp_path)

    assert packets == packets_of(written(tmp_path / "in.pcapng", pcapng(packets, order)))


def test_pcap_is_read_in_either_byte_order_and_with_nanoseconds(tmp_path: Path) -> None:
    record = struct.pack(">IIII", 2, 500_000_000, 3, 3) + b"abc"
    head = struct.pack(">IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65_535, 101)

    assert [Packet(2500.0, 101, b"abc")] == packets_of(written(tmp_path / "in.pcap", head + record))


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "is neither a pcap nor a pcapng file"),
        (b"hello, this is no capture", "is neither a pcap nor a pcapng file"),
        (PCAP_HEAD + b"\x00" * 7, "byte 24: the file ends in the head of a packet"),
        (PCAP_HEAD + struct.pack("<IIII", 0, 0, 9, 9) + b"abc", "byte 40: the file ends in a packet"),
        (PCAP_HEAD + struct.pack("<IIII", 0, 0, 1 << 30, 9), "byte 40: 1073741824 bytes, and 262144 is the most"),
        (pcapng([], "<")[:-3], "the file ends in a packet"),
        (struct.pack("<III", 0x0A0D0D0A, 13, 0x1A2B3C4D), "byte 0: a block of 13 bytes is none"),
        (pcapng([Packet(2.0**43, 1, b"abcd")], "<"), "a packet of a time before 1970 or after 2106"),
        (pcapng([Packet(0.0, 1, b"abcd")], "<")[:28] + struct.pack("<2I", 6, 32) + bytes(24), "interface 0 is not"),
    ],
)
def test_a_damaged_capture_is_told_with_its_byte(tmp_path: Path, data: bytes, complaint: str) -> None:
    with pytest.raises(CaptureError) as raised:
        packets_of(written(tmp_path / "bad.pcap", data))
    assert complaint in str(raised.value)


@settings(max_examples=60)
@given(st.binary(max_size=120), st.sampled_from([0, 1, 12, 101, 108, 113, 276, 999]))
def test_no_packet_makes_the_reader_fail(data: bytes, link_type: int) -> None:
    chunks_of([Packet(0.0, link_type, data)])


def test_an_import_keeps_frames_across_packets_and_tells_of_gaps() -> None:
    first, second = FRAMES[0].frame, FRAMES[1].frame
    pieces = [Chunk(0.0, 1, True, first[:9]), Chunk(7.0, 1, True, first[9:]), Chunk(9.0, 1, True, second, 40)]
    out = io.StringIO()

    found = import_streams(pieces, Recorder(out, lambda count: bytes(count), "a test", 0), HYPERCOM)

    lines = [json.loads(line) for line in out.getvalue().splitlines()[1:]]
    assert (1, 2, 1, 0) == found
    assert [(7, None), (9, "40 bytes are not in the capture"), (9, None)] == [
        (line["at_ms"], line.get("unreadable")) for line in lines
    ]


def test_the_verbs_go_there_and_back_and_no_card_number_comes_along(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording, capture, again = (tmp_path / name for name in ("a.jsonl", "a.pcap", "b.jsonl"))
    recording.write_text("\n".join([heading("a test", ""), *map(line_of, FRAMES)]))

    assert 0 == run_command(["record", "export", str(recording), str(capture), "--port", str(PORT)])
    arguments = ["record", "import", str(capture), "--port", str(PORT), "--dialect", "hypercom", "--out", str(again)]
    assert 0 == run_command(arguments)

    frames = read_recording(again)
    assert len(FRAMES) == len(frames)
    assert [("2",)] * len(FRAMES) == [frame.changed for frame in frames]
    assert not any(CANARY in frame.frame.hex() for frame in frames)
    assert "5 frames of 2 connections, 0 gaps" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["import", "none.pcap", "--port", "1"], "none.pcap: No such file"),
        (["import", "none.pcap", "--port", "0"], "--port 0: from 1 to 65535"),
        (["export", "none.jsonl", "out.pcap"], "none.jsonl: no such file"),
    ],
)
def test_bad_usage_is_one_line(arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run_command(["record", *arguments])
    assert complaint in capsys.readouterr().err
