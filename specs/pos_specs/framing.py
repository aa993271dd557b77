"""Cutting a byte stream into frames and putting answers back into it. Knows no socket."""

from __future__ import annotations

from pos_specs.envelope import Framing
from pos_specs.errors import FramingError
from pos_specs.frame import TPDU_BYTES, TPDU_ID, Frame

__all__ = ["TPDU_BYTES", "TPDU_ID", "Frame", "Framer", "frame_length", "join_frame", "reply_frame", "split_frame"]


class Framer:
    """One direction of one connection. Feed it bytes in any split; it gives whole frames.

    After a framing error `error` is set, later bytes are ignored and the connection must be closed:
    where one frame ends wrongly nobody knows where the next begins.
    """

    __slots__ = ("_buffer", "_envelope", "_whole", "error", "keep_alives")

    def __init__(self, framing: Framing) -> None:
        self._envelope = framing.envelope
        self._whole = framing.envelope.whole
        self._buffer = b""
        self.error: FramingError | None = None
        self.keep_alives = 0

    def receive_data(self, data: bytes) -> list[Frame]:
        """The frames completed by `data`, in order; those before an error are still given."""
        if not self._buffer and self.error is None:
            frame = self._whole(data)
            if frame is not None:
                return [frame]
        elif self.error is not None:
            return []
        return self._cut(self._buffer + data)

    def _cut(self, buffer: bytes) -> list[Frame]:
        envelope = self._envelope
        frames: list[Frame] = []
        position = 0
        try:
            while (extent := envelope.extent(buffer, position)) is not None and extent[2] <= len(buffer):
                content = envelope.content(buffer, extent)
                if content:
                    frames.append(envelope.split(content))
                else:
                    self.keep_alives += 1
                position = extent[2]
        except FramingError as error:
            self.error = error
            self._buffer = b""
            return frames
        self._buffer = buffer[position:]
        return frames

    @property
    def waiting(self) -> int:
        """Bytes received of a frame that is not complete."""
        return len(self._buffer)


def frame_length(framing: Framing, buffer: bytes, position: int = 0) -> int | None:
    """The bytes of TPDU, header and body in the frame that begins at `position`; None until that can be known.

    Raises FramingError for a length that is not one or over the limit.
    """
    extent = framing.envelope.extent(buffer, position)
    return None if extent is None else extent[1] - extent[0]


def split_frame(framing: Framing, content: bytes) -> Frame:
    """What stands behind the length, as TPDU, header and body; raises FramingError where they do not fit."""
    return framing.envelope.split(content)


def join_frame(framing: Framing, frame: Frame) -> bytes:
    """The bytes of a frame, length and trailer included; raises FramingError when it is over the limit."""
    return framing.envelope.join(frame.tpdu + frame.header + frame.body)


def reply_frame(framing: Framing, request: Frame, body: bytes, requirement: int = 0) -> bytes:
    """The bytes of the answer to a frame that a Framer of this framing gave; raises FramingError over the limit.

    TPDU and header are answered as the framing says (unionpay.md 1, hypercom.md 1.2 and 1.3); a header that has a
    processing requirement tells the terminal `requirement`.
    """
    if requirement:
        return framing.envelope.requiring(request, body, requirement)
    return framing.envelope.reply(request, body)
