"""The exchanges of a recording: each request with the answer that came to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from pos_specs.errors import MessageError
from pos_specs.framing import Frame, Framer
from pos_specs.language import Language
from pos_specs.message import Message, is_request, reply_mti
from pos_specs.recording import RecordedFrame

ANSWERS_LOOKED_BACK = 256
"""Unanswered requests of a connection among which an answer's is looked for: as many as a host lets wait."""


class RecordedExchange(NamedTuple):
    """A request of a recording, the `number`th from 1.

    `answer` is the one that was recorded, None where none came, and `hidden` are the elements of it whose content is
    not in the recording; `same_card` is False where the card's number was replaced. `unreadable` says why there is
    no request to be had.
    """

    number: int
    at_ms: int
    connection: int
    language: Language
    frame: Frame
    message: Message
    function: str
    answer: Message | None
    hidden: frozenset[int]
    same_card: bool
    unreadable: str = ""

    @property
    def terminal(self) -> tuple[str, str, str]:
        """Whose request it is: dialect, merchant, terminal."""
        fields = self.message.fields
        return self.language.name, fields.get(42, "").rstrip(), fields.get(41, "").rstrip()


def exchanges_of(frames: Iterable[RecordedFrame], speak: Callable[[str], Language]) -> list[RecordedExchange]:
    """The exchanges, in the order of their requests. `speak` gives the language of a dialect by name."""
    exchanges: list[RecordedExchange] = []
    open_requests: dict[int, list[int]] = {}
    for recorded in frames:
        language = speak(recorded.dialect)
        frame, message, reason = _read(recorded, language)
        waiting = open_requests.setdefault(recorded.connection, [])
        if recorded.direction == "to_host":
            if reason or is_request(message.mti):
                waiting.append(len(exchanges))
                exchanges.append(_request(len(exchanges) + 1, recorded, language, frame, message, reason))
                del waiting[:-ANSWERS_LOOKED_BACK]
            continue
        place = next((place for place in waiting if not reason and answers(exchanges[place].message, message)), None)
        if place is not None:
            waiting.remove(place)
            hidden = frozenset(int(name) for name in recorded.hidden if name.isdecimal())
            exchanges[place] = exchanges[place]._replace(answer=message, hidden=hidden)
    return exchanges


def answers(request: Message, answer: Message) -> bool:
    """True when `answer` belongs to `request`: its type, and its STAN where both have one."""
    stans = {message.fields[11] for message in (request, answer) if 11 in message.fields}
    return is_request(request.mti) and answer.mti == reply_mti(request.mti) and len(stans) < 2


def _request(
    number: int, recorded: RecordedFrame, language: Language, frame: Frame, message: Message, reason: str
) -> RecordedExchange:
    rule = None if reason else language.function_of(message)
    function = recorded.function if rule is None else rule.name
    return RecordedExchange(
        number,
        recorded.at_ms,
        recorded.connection,
        language,
        frame,
        message,
        function,
        None,
        frozenset(),
        not recorded.changed,
        reason,
    )


def _read(recorded: RecordedFrame, language: Language) -> tuple[Frame, Message, str]:
    """The frame and its message, or why there is none."""
    nothing = Frame(b"", b"", b""), Message("", {})
    if recorded.unreadable:
        return *nothing, recorded.unreadable
    framer = Framer(language.dialect.framing)
    frames = framer.receive_data(recorded.frame)
    if len(frames) != 1 or framer.waiting:
        return *nothing, "the bytes of the recording are not one frame of the dialect"
    try:
        return frames[0], language.decode(frames[0].body), ""
    except MessageError as error:
        return *nothing, str(error)
