"""Makes a recording out of frames as they pass: rewritten, looked over once more, written line by line."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from pos_host.options import UsageError
from pos_host.recording.card_watch import CardWatch
from pos_host.recording.replacement import SECRET_BYTES, Replacements
from pos_host.recording.rewriting import Rewriter
from pos_specs.errors import FramingError, MessageError
from pos_specs.framing import Frame, join_frame
from pos_specs.language import Language
from pos_specs.recording import Direction, RecordedFrame, heading, line_of

STRAY_NUMBER = "a card number stands where the dialect has none"


class Recorder:
    """Writes a recording to `out`, which it flushes line by line: what was recorded survives the process.

    `random` gives so many random bytes, once; `began_ms` (UTC) is what the times of frames count from.
    """

    def __init__(self, out: TextIO, random: Callable[[int], bytes], made_by: str, began_ms: int) -> None:
        self._out = out
        self._rewriter = Rewriter(Replacements(random(SECRET_BYTES)))
        self._watch = CardWatch()
        self._began_ms = began_ms
        self._write(heading(made_by, datetime.fromtimestamp(began_ms / 1000, UTC).isoformat(timespec="milliseconds")))

    def frame(
        self,
        at_ms: int,
        connection: int,
        direction: Direction,
        language: Language,
        frame: Frame,
        function: str = "",
    ) -> None:
        """Record one frame; `function` is that of an answer, since a dialect tells only that of requests."""
        size = len(frame.tpdu) + len(frame.header) + len(frame.body)
        framing = language.dialect.framing
        recorded = RecordedFrame(
            max(at_ms - self._began_ms, 0),
            connection,
            direction,
            language.name,
            framing.length,
            b"",
            size,
            function=function,
        )
        self._write(line_of(self._rewritten(recorded, language, frame)))

    def unframed(
        self, at_ms: int, connection: int, direction: Direction, language: Language, size: int, why: str
    ) -> None:
        """Record that bytes came which cannot be cut into frames."""
        framing = language.dialect.framing.length
        at_ms = max(at_ms - self._began_ms, 0)
        self._write(
            line_of(RecordedFrame(at_ms, connection, direction, language.name, framing, b"", size, unreadable=why))
        )

    def close(self) -> None:
        """End the recording."""
        self._out.close()

    def _rewritten(self, recorded: RecordedFrame, language: Language, frame: Frame) -> RecordedFrame:
        """The frame as it may be kept, or why none of its bytes may be."""
        try:
            message = language.decode(frame.body)
            rule = language.function_of(message)
            rewritten = self._rewriter.rewrite(language, message)
            body = language.encode(rewritten.message)
            data = join_frame(language.dialect.framing, frame._replace(body=body))
            self._watch.note(rewritten.cards)
            if self._watch.met_in(language, rewritten.message):
                return recorded._replace(unreadable=STRAY_NUMBER)
        except (MessageError, FramingError) as error:
            return recorded._replace(unreadable=str(error))
        except Exception as error:  # our mistake: the frame is lost to the recording, its secrets stay out of it
            return recorded._replace(unreadable=f"cannot be rewritten ({type(error).__name__})")
        return recorded._replace(
            frame=data,
            size=len(data),
            mti=message.mti,
            function=recorded.function if rule is None else rule.name,
            changed=rewritten.changed,
            hidden=rewritten.hidden,
        )

    def _write(self, line: str) -> None:
        self._out.write(f"{line}\n")
        self._out.flush()


def open_recording(path: Path, option: str = "--record") -> TextIO:
    """A new file for a recording, mode 0600; raises UsageError where there is one already or none can be made."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(f"{option} {path}: is there already, and a recording is never overwritten") from None
    except OSError as error:
        raise UsageError(f"{option} {path}: {error.strerror or error}") from None
    return os.fdopen(descriptor, "w", encoding="utf-8")
