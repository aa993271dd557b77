"""Answers made wrong on purpose: the bytes of a whole frame with one of the faults that change bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, NamedTuple

from pos_host.rules.errors import RuleFailed
from pos_host.security.guard import signed
from pos_host.security.message_keys import Signature
from pos_specs.language import Language
from pos_specs.length_counters import LENGTH_COUNTERS
from pos_specs.message import Message

STAN = 11


class Answer(NamedTuple):
    """An answer's frame, in which language it is, how it got its MAC (None: it has none), and the seed's dice."""

    frame: bytes
    language: Language
    signature: Signature | None
    chance: Random


def damaged(kind: str, values: Mapping[str, Any], answer: Answer) -> bytes:
    """The frame with the fault `kind` in it; raises RuleFailed, MessageError or FramingError where it cannot be."""
    return _DAMAGES[kind](answer, values)


def _content(answer: Answer) -> tuple[int, bytes]:
    """Where what stands behind the length begins, and what it is."""
    extent = answer.language.dialect.framing.envelope.extent(answer.frame, 0)
    if extent is None:
        raise RuleFailed("the answer is no whole frame")
    return extent[0], answer.frame[extent[0] : extent[1]]


def _message(answer: Answer) -> Message:
    _, content = _content(answer)
    return answer.language.decode(answer.language.dialect.framing.envelope.split(content).body)


def _with_message(answer: Answer, message: Message, *, sign: bool = True) -> bytes:
    """The frame with another message in it, its MAC made anew."""
    message.fields = dict(sorted(message.fields.items()))
    resigned = sign and answer.signature is not None
    language = answer.language
    body = signed(language, message, answer.signature) if resigned else language.encode(message)  # type: ignore[arg-type]
    envelope = language.dialect.framing.envelope
    return envelope.join(_content(answer)[1][: envelope.head_bytes] + body)


def _wrong_stan(answer: Answer, values: Mapping[str, Any]) -> bytes:
    message = _message(answer)
    stan = message.fields.get(STAN, "")
    if not stan.isdecimal():
        raise RuleFailed(f"the answer has no element {STAN}")
    message.fields[STAN] = f"{(int(stan) + values['by']) % 10 ** len(stan):0{len(stan)}d}"
    return _with_message(answer, message)


def _wrong_mti(answer: Answer, values: Mapping[str, Any]) -> bytes:
    message = _message(answer)
    mti = message.mti
    message.mti = values["mti"] or (f"{mti[0]}210" if mti[1] == "8" else f"{mti[0]}810")
    return _with_message(answer, message)


def _missing_field(answer: Answer, values: Mapping[str, Any]) -> bytes:
    message = _message(answer)
    number = values["field"]
    if number not in message.fields:
        raise RuleFailed(f"the answer has no element {number} to leave out")
    del message.fields[number]
    return _with_message(answer, message, sign=number not in (64, 128))


def _bad_mac(answer: Answer, values: Mapping[str, Any]) -> bytes:
    from pos_specs.security.message_mac import MAC_BYTES, mac_element

    message = _message(answer)
    number = mac_element(answer.language.dialect, message)
    if number not in answer.language.dialect.elements:
        raise RuleFailed(f"the dialect has no element {number}")
    right = message.fields.get(number) or "0" * (2 * MAC_BYTES)
    message.fields[number] = "".join(f"{15 - int(digit, 16):X}" for digit in right)
    return _with_message(answer, message, sign=False)


def _corrupt(answer: Answer, values: Mapping[str, Any]) -> bytes:
    start, content = _content(answer)
    offset = values["offset"]
    if offset is None:
        offset = start + answer.chance.randrange(len(content))
    if offset >= len(answer.frame):
        raise RuleFailed(f"the frame has {len(answer.frame)} bytes, none at offset {offset}")
    return answer.frame[:offset] + bytes((answer.frame[offset] ^ 0xFF,)) + answer.frame[offset + 1 :]


def _bad_length(answer: Answer, values: Mapping[str, Any]) -> bytes:
    framing = answer.language.dialect.framing
    counter = LENGTH_COUNTERS.get(framing.length)
    if counter is None:
        raise RuleFailed("the dialect's framing says no length")
    at = framing.envelope.lead_bytes - counter.size
    length = counter.read(answer.frame[at : at + counter.size]) + values["by"]
    if not 0 <= length <= counter.most:
        raise RuleFailed(f"a length of {length} cannot be written")
    return answer.frame[:at] + counter.write(length) + answer.frame[at + counter.size :]


def _wrong_tpdu(answer: Answer, values: Mapping[str, Any]) -> bytes:
    envelope = answer.language.dialect.framing.envelope
    if not envelope.tpdu_bytes:
        raise RuleFailed("the dialect's framing has no TPDU")
    _, content = _content(answer)
    return envelope.join(content[:1] + content[3:5] + content[1:3] + content[5:])


_DAMAGES: Mapping[str, Callable[[Answer, Mapping[str, Any]], bytes]] = {
    "corrupt": _corrupt,
    "bad_mac": _bad_mac,
    "bad_length": _bad_length,
    "wrong_stan": _wrong_stan,
    "wrong_mti": _wrong_mti,
    "wrong_tpdu": _wrong_tpdu,
    "missing_field": _missing_field,
}
