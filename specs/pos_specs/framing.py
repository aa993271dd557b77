"""Cutting a byte stream into frames and putting answers back into it. Knows no socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pos_specs.dialect import Framing
from pos_specs.errors import FramingError

TPDU_BYTES = 5
UNIONPAY_HEADER_BYTES = 6
TPDU_ID = 0x60
"""TPDU identifier of a data packet; 0x68 marks an error packet (hypercom.md 1.2)."""


class Frame(NamedTuple):
    """One frame: `tpdu` and `header` as sent (empty where the framing has none), `body` from the MTI on."""

    tpdu: bytes
    header: bytes
    body: bytes

    def __repr__(self) -> str:
        """The shape only: the body holds card data and a repr ends in logs."""
        return f"Frame(tpdu={self.tpdu.hex()}, header={self.header.hex()}, body of {len(self.body)} bytes)"


class Framer:
    """One direction of one connection. Feed it bytes in any split; it gives whole frames.

    After a framing error `error` is set, later bytes are ignored and the connection must be closed:
    where one frame ends wrongly nobody knows where the next begins.
    """

    __slots__ = ("_buffer", "_framing", "error", "keep_alives")

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._buffer = b""
        self.error: FramingError | None = None
        self.keep_alives = 0

    def receive_data(self, data: bytes) -> list[Frame]:
        """The frames completed by `data`, in order; those before an error are still given."""
        if self.error is not None:
            return []
        buffer = self._buffer + data if self._buffer else data
        frames: list[Frame] = []
        position = 0
        try:
            while True:
                length = frame_length(self._framing, buffer, position)
                if length is None:
                    break
                start = position + _COUNTER_BYTES[self._framing.length]
                if len(buffer) - start < length:
                    break
                position = start + length
                if length == 0:
                    self.keep_alives += 1
                    continue
                frames.append(split_frame(self._framing, buffer[start:position]))
        except FramingError as error:
            self.error = error
            self._buffer = b""
            return frames
        self._buffer = bytes(buffer[position:])
        return frames

    @property
    def waiting(self) -> int:
        """Bytes received of a frame that is not complete."""
        return len(self._buffer)


def frame_length(framing: Framing, buffer: bytes, position: int = 0) -> int | None:
    """The number of bytes that follow the length at `position`; None until it is complete.

    Raises FramingError for a length that is not one or over the limit.
    """
    counter = buffer[position : position + _COUNTER_BYTES[framing.length]]
    if len(counter) < _COUNTER_BYTES[framing.length]:
        return None
    length = _READERS[framing.length](counter)
    if length > framing.max_frame_bytes:
        hint = " (ASCII digits? this listener expects a binary length)" if _looks_ascii(counter) else ""
        raise FramingError(f"length {length} is over the limit of {framing.max_frame_bytes} bytes{hint}")
    return length


def split_frame(framing: Framing, frame: bytes) -> Frame:
    """A frame without its length, as TPDU, header and body; raises FramingError where they do not fit."""
    position = TPDU_BYTES if framing.tpdu == "swap" else 0
    header_end = position + (UNIONPAY_HEADER_BYTES if framing.header == "unionpay" else 0)
    if len(frame) < header_end:
        raise FramingError(f"frame of {len(frame)} bytes is shorter than its {header_end} bytes of headers")
    if position and frame[0] != TPDU_ID:
        what = "an error packet" if frame[0] == 0x68 else "no TPDU"
        raise FramingError(f"TPDU id {frame[0]:02X} instead of 60: {what}")
    return Frame(bytes(frame[:position]), bytes(frame[position:header_end]), bytes(frame[header_end:]))


def join_frame(framing: Framing, frame: Frame) -> bytes:
    """The bytes of a frame, length included; raises FramingError when it is over the limit."""
    content = frame.tpdu + frame.header + frame.body
    if len(content) > framing.max_frame_bytes:
        raise FramingError(f"frame of {len(content)} bytes is over the limit of {framing.max_frame_bytes}")
    return _WRITERS[framing.length](len(content)) + content


def reply_frame(framing: Framing, request: Frame, body: bytes) -> bytes:
    """The bytes of an answer: TPDU addresses exchanged, header repeated with processing requirement 0.

    Source: unionpay.md 1 (TPDU, HEADER), hypercom.md 1.2.
    """
    tpdu = request.tpdu
    if tpdu:
        tpdu = tpdu[:1] + tpdu[3:5] + tpdu[1:3]
    header = request.header
    if header:
        header = header[:2] + bytes((header[2] & 0xF0,)) + header[3:]
    return join_frame(framing, Frame(tpdu, header, body))


def _read_ascii4(counter: bytes) -> int:
    if not counter.isdigit():
        raise FramingError("length is not four ASCII digits")
    return int(counter)


def _looks_ascii(counter: bytes) -> bool:
    return counter.isdigit()


_COUNTER_BYTES = {"binary2": 2, "ascii4": 4}
_READERS: dict[str, Callable[[bytes], int]] = {
    "binary2": lambda counter: counter[0] << 8 | counter[1],
    "ascii4": _read_ascii4,
}
_WRITERS: dict[str, Callable[[int], bytes]] = {
    "binary2": lambda length: length.to_bytes(2, "big"),
    "ascii4": lambda length: b"%04d" % length,
}
