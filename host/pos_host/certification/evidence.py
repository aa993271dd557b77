"""The messages that prove a verdict, as they may leave the process: everything that is nobody's business masked."""

from __future__ import annotations

import re
from typing import Any

from pos_host.certification.observed import frame_in
from pos_host.clock import iso_utc
from pos_host.exchanges import Exchange
from pos_specs.errors import FramingError, MessageError
from pos_specs.framing import Frame, join_frame
from pos_specs.language import Language
from pos_specs.masking import mask_fields, mask_parts
from pos_specs.message import Message

_MASKED = re.compile(r"[*]")


def shown_exchange(exchange: Exchange) -> dict[str, Any]:
    """An exchange for a report: who, when, what became of it, request and answer masked.

    `hex` is the frame written anew from the masked elements, a masked digit as 0: MACs do not fit it. It is "" where
    that cannot be done, as for a frame that could not be read.
    """
    language = exchange.language
    request = None if exchange.request is None else _shown(language, exchange.frame, exchange.request)
    fields = {} if request is None else request["fields"]
    answer = frame_in(language.dialect.framing, exchange.reply)
    return {
        "number": exchange.number,
        "at": iso_utc(exchange.at_ms),
        "merchant_id": fields.get("42", "").strip(),
        "terminal_id": fields.get("41", "").strip(),
        "function": exchange.function,
        "outcome": exchange.outcome,
        "played": list(exchange.rules),
        "fault": exchange.fault,
        "request": request,
        "answer": None if answer is None else _answer(language, answer),
    }


def _answer(language: Language, frame: Frame) -> dict[str, Any] | None:
    try:
        return _shown(language, frame, language.decode(frame.body))
    except MessageError:
        return None


def _shown(language: Language, frame: Frame, message: Message) -> dict[str, Any]:
    fields = mask_fields(language, message)
    names = {
        number: element.name for number in fields if (element := language.dialect.elements.get(int(number))) is not None
    }
    return {
        "mti": message.mti,
        "hex": _hex(language, frame, message.mti, fields),
        "fields": fields,
        "names": names,
        "parts": mask_parts(language, message),
    }


def _hex(language: Language, frame: Frame, mti: str, fields: dict[str, str]) -> str:
    values = {int(number): _MASKED.sub("0", value) for number, value in fields.items()}
    try:
        body = language.encode(Message(mti, values))
        return join_frame(language.dialect.framing, Frame(frame.tpdu, frame.header, body)).hex().upper()
    except (MessageError, FramingError):
        return ""
