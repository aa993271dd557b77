"""What stands around a message in one framing, made ready once: lengths, heads and their answers.

The head of a frame is its TPDU and header. Terminals send the same head with every message, so a frame that
comes whole and alone, with a head that is known, needs two looks into tables and no more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from operator import xor
from typing import Literal

from pos_specs.errors import FramingError
from pos_specs.frame import TPDU_BYTES, TPDU_ID, Frame
from pos_specs.frame_headers import FrameHeader
from pos_specs.length_counters import LENGTH_COUNTERS

STX, ETX = b"\x02", b"\x03"
TRAILER_BYTES = {"none": 0, "etx": 1, "etx-lrc": 2}

HEADS_KEPT = 1024
"""Heads that are remembered. A terminal sends one all its life and a fleet a few hundred; a peer that invents new
ones makes the table begin anew, which costs a few microseconds a frame and no memory."""


Extent = tuple[int, int, int]
"""A frame in a buffer: where its content (TPDU, header, body) begins, where that ends, where the frame itself ends."""


@dataclass(frozen=True, slots=True)
class Framing:
    """How a message stands in the byte stream; the values are those of a dialect file.

    `length` is a name of `LENGTH_COUNTERS`, or none; it says the bytes of TPDU, header and message, and besides
    those what `counts` names. `header` and `header_answer` are read by `FrameHeader`. `max_frame_bytes` bounds what
    one peer can make the host buffer; length, start and trailer come on top. Raises ValueError for a bad header.
    """

    length: str
    tpdu: Literal["swap", "echo", "none"]
    header: str
    max_frame_bytes: int
    counts: tuple[str, ...] = ()
    start: Literal["none", "stx"] = "none"
    trailer: Literal["none", "etx", "etx-lrc"] = "none"
    header_answer: str = ""
    envelope: Envelope = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "envelope", Envelope(self))


class Envelope:
    """One framing at work. `lead_bytes` stand before the content (STX, counter), `trail_bytes` behind it.

    `whole(data)` gives the frame that `data` is exactly, or None where it takes a closer look; `reply(request,
    body)` the bytes that answer a frame of this framing. Raises ValueError where the header is no pattern.
    """

    def __init__(self, framing: Framing) -> None:
        self.header = FrameHeader(framing.header, framing.header_answer)
        self.tpdu_bytes = 0 if framing.tpdu == "none" else TPDU_BYTES
        self.head_bytes = self.tpdu_bytes + self.header.size
        self.trail_bytes = TRAILER_BYTES[framing.trailer]
        self._has_lrc = framing.trailer == "etx-lrc"
        self._swaps = framing.tpdu == "swap"
        self._most = framing.max_frame_bytes
        self._start = STX if framing.start == "stx" else b""
        self._counter = LENGTH_COUNTERS.get(framing.length)
        self._counter_bytes = self._counter.size if self._counter else 0
        self._counts_trailer = "trailer" in framing.counts
        self.counted_bytes = (
            self._counter_bytes * ("itself" in framing.counts) + self.trail_bytes * self._counts_trailer
        )
        self.lead_bytes = len(self._start) + self._counter_bytes
        self._leads: dict[int, bytes] = {}
        self._heads: dict[bytes, tuple[bytes, bytes]] = {}
        self._answers: dict[bytes, bytes] = {}
        self.whole = self._compile_whole()
        self.reply = self._compile_reply()

    # -- reading

    def extent(self, buffer: bytes, position: int) -> Extent | None:
        """Where the frame that begins at `position` will end; None until that can be known.

        Raises FramingError for a start or length that is none, and for a frame over the limit.
        """
        begin = position
        if self._start:
            if buffer[position : position + 1] not in (b"", STX):
                raise FramingError(f"byte {buffer[position]:02X} instead of STX (02)")
            begin += 1
        if self._counter is None:
            return self._until_etx(buffer, begin)
        start = begin + self._counter_bytes
        if len(buffer) < start:
            return None
        counter = buffer[begin:start]
        length = self._counter.read(counter)
        if length == 0:  # jPOS's keep-alive with a counted ETX has none (BASE24TCPChannel)
            return start, start, start + (0 if self._counts_trailer else self.trail_bytes)
        size = length - self.counted_bytes
        if size < 0:
            raise FramingError(
                f"length {length} is less than the {self.counted_bytes} bytes it counts besides the message"
            )
        if size > self._most:
            digits = self._counter.is_binary and counter.isdigit()
            hint = " (ASCII digits? this listener expects a binary length)" if digits else ""
            raise FramingError(f"length {length} is over the limit of {self._most} bytes{hint}")
        return start, start + size, start + size + self.trail_bytes

    def _until_etx(self, buffer: bytes, start: int) -> Extent | None:
        stop = buffer.find(ETX, start, start + self._most + 1)
        if stop >= 0:
            return start, stop, stop + self.trail_bytes
        if len(buffer) - start > self._most:
            raise FramingError(f"no ETX (03) within the limit of {self._most} bytes")
        return None

    def content(self, buffer: bytes, extent: Extent) -> bytes:
        """The content of a complete frame, empty for a keep-alive; raises FramingError where its trailer is wrong."""
        start, stop, end = extent
        if end > stop:
            if buffer[stop] != ETX[0]:
                raise FramingError(f"byte {buffer[stop]:02X} instead of ETX (03) behind {stop - start} bytes")
            if self._has_lrc:
                _check_lrc(buffer[start - self._counter_bytes : stop + 1], buffer[stop + 1])
        return buffer[start:stop]

    def split(self, content: bytes) -> Frame:
        """Content as TPDU, header and body; raises FramingError where they do not fit."""
        size = self.head_bytes
        tpdu, header = self._heads.get(content[:size]) or self._new_head(content)
        if len(content) not in self._leads and len(content) <= self._most:
            self._lead_of(len(content))  # the next frame of this length goes the short way
        return Frame(tpdu, header, content[size:])

    def _new_head(self, content: bytes) -> tuple[bytes, bytes]:
        if len(content) < self.head_bytes:
            raise FramingError(f"frame of {len(content)} bytes is shorter than its {self.head_bytes} bytes of headers")
        tpdu, header = content[: self.tpdu_bytes], content[self.tpdu_bytes : self.head_bytes]
        if tpdu and tpdu[0] != TPDU_ID:
            what = "an error packet" if tpdu[0] == 0x68 else "no TPDU"
            raise FramingError(f"TPDU id {tpdu[0]:02X} instead of 60: {what}")
        self.header.check(header)
        if len(self._heads) >= HEADS_KEPT:
            self._heads.clear()
        self._heads[tpdu + header] = tpdu, header
        return tpdu, header

    def _compile_whole(self) -> Callable[[bytes], Frame | None]:
        """The short way, for framings without trailer: the frame is known by its length and its head."""
        lead, body_at = self.lead_bytes, self.lead_bytes + self.head_bytes
        leads, heads = self._leads, self._heads
        new = tuple.__new__  # what Frame(...) calls, without the call around it: a sixth of this function's time
        if self._counter is None or self.trail_bytes:
            return lambda data: None

        def whole(data: bytes) -> Frame | None:
            if leads.get(len(data) - lead) != data[:lead]:
                return None
            head = heads.get(data[lead:body_at])
            return None if head is None else new(Frame, (head[0], head[1], data[body_at:]))

        return whole

    # -- writing

    def join(self, content: bytes) -> bytes:
        """The bytes of a frame; raises FramingError when it is over the limit or holds what would end it."""
        trailed = content
        if self.trail_bytes:
            if self._counter is None and ETX in content:
                raise FramingError(f"byte {content.index(ETX)} of the frame is an ETX (03), which would end it")
            trailed += ETX
        lead = self._lead_of(len(content))
        if self._has_lrc:
            trailed += bytes((longitudinal_check(lead[len(self._start) :] + trailed),))
        return lead + trailed

    def _lead_of(self, size: int) -> bytes:
        """STX and counter of a frame with `size` bytes of content; no more are remembered than lengths exist."""
        lead = self._leads.get(size)
        if lead is not None:
            return lead
        if size > self._most:
            raise FramingError(f"frame of {size} bytes is over the limit of {self._most}")
        lead = self._start
        if self._counter is not None:
            lead += self._counter.write(size + self.counted_bytes)
        if size:  # what has no content is a keep-alive and no frame
            self._leads[size] = lead
        return lead

    def _compile_reply(self) -> Callable[[Frame, bytes], bytes]:
        leads, answers, answer_head, join = self._leads, self._answers, self._answer_head, self.join
        plain = not self.trail_bytes

        def reply(request: Frame, body: bytes) -> bytes:
            head = answers.get(request[0] + request[1])
            if head is None:
                head = answer_head(request)
            lead = leads.get(len(head) + len(body))
            return lead + head + body if plain and lead else join(head + body)

        return reply

    def requiring(self, request: Frame, body: bytes, requirement: int) -> bytes:
        """The bytes that answer a frame, with a processing requirement in the header where it has one."""
        head = self._answer_head(request)
        tpdu, header = head[: self.tpdu_bytes], head[self.tpdu_bytes :]
        return self.join(tpdu + self.header.requiring(header, requirement) + body)

    def _answer_head(self, request: Frame) -> bytes:
        tpdu = request.tpdu
        if self._swaps:
            tpdu = tpdu[:1] + tpdu[3:5] + tpdu[1:3]
        head = tpdu + self.header.answer(request.header)
        if len(self._answers) >= HEADS_KEPT:
            self._answers.clear()
        self._answers[request.tpdu + request.header] = head
        return head


def _check_lrc(data: bytes, lrc: int) -> None:
    expected = longitudinal_check(data)
    if lrc != expected:
        raise FramingError(f"LRC {lrc:02X} instead of {expected:02X}")


def longitudinal_check(data: bytes) -> int:
    """The LRC: all bytes exclusive-ored, from the one after STX to ETX (hypercom.md 1.1)."""
    return reduce(xor, data, 0)
