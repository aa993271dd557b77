"""Exchanges as others see them: JSON for API and verbs, card data masked, every element by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pos_host.clock import iso_utc
from pos_host.exchanges import Exchange
from pos_specs.card_search import cards_in, mentions
from pos_specs.framing import Framer
from pos_specs.language import Language
from pos_specs.masking import mask_fields
from pos_specs.message import Message

if TYPE_CHECKING:
    from pos_host.decoding.describe import Row

View = dict[str, Any]

NO_CARDS: frozenset[str] = frozenset()


def received_view(exchange: Exchange) -> View:
    """A request and its answer as it was made, before a fault: their elements by number."""
    request, answer, language = exchange.request, exchange.answer, exchange.language
    return {
        **_facts(exchange),
        "response_code": exchange.response_code or None,
        "request": None if request is None else _message(language, request, NO_CARDS),
        "reply": None if answer is None else _message(language, answer, _cards_of(exchange)),
    }


def message_view(exchange: Exchange) -> View:
    """The same with every element as `decode` shows it: where it stands, its name, value, meaning and parts."""
    view = received_view(exchange)
    request, answer, language = exchange.request, exchange.answer, exchange.language
    if request is not None:
        view["request"]["elements"] = element_views(language, request, exchange.frame.body)
    if answer is not None:
        body = Framer(language.dialect.framing).receive_data(exchange.reply)[0].body
        view["reply"]["elements"] = element_views(language, answer, body, _cards_of(exchange))
    return view


def _cards_of(exchange: Exchange) -> frozenset[str]:
    """The card numbers of the request. An answer repeats private elements of it, and has no card itself by which they
    would be recognised there."""
    return NO_CARDS if exchange.request is None else cards_in(exchange.language, exchange.request)


def element_views(language: Language, message: Message, body: bytes, cards: frozenset[str] = NO_CARDS) -> list[View]:
    """The rows that `decode --mask` shows of a message; `start` and `end` count bytes from the MTI, `raw` is "" where
    the value is masked. Of an element in which one of `cards` stands only its place is shown."""
    from pos_host.decoding.describe import describe

    return [_row_view(row, hidden=mentions(cards, row.value)) for row in describe(language, message, body, mask=True)]


def _row_view(row: Row, *, hidden: bool) -> View:
    return {
        "number": row.number,
        "name": row.name,
        "start": row.start,
        "end": row.end,
        "counter": row.counter.hex().upper(),
        "raw": "" if hidden else row.raw.hex().upper(),
        "value": "*" * len(row.value) if hidden else row.value,
        "meaning": "" if hidden else row.meaning,
        "parts": [] if hidden else [part._asdict() for part in row.parts],
    }


def _facts(exchange: Exchange) -> View:
    return {
        "number": exchange.number,
        "at": iso_utc(exchange.at_ms),
        "peer": exchange.peer,
        "dialect": exchange.language.name,
        "merchant_id": exchange.merchant_id,
        "terminal_id": exchange.terminal_id,
        "function": exchange.function,
        "outcome": exchange.outcome,
        "reason": exchange.reason,
        "rules": list(exchange.rules),
        "fault": exchange.fault or None,
    }


def _message(language: Language, message: Message, cards: frozenset[str]) -> View:
    shown = mask_fields(language, message)
    return {
        "mti": message.mti,
        "fields": {number: "*" * len(value) if mentions(cards, value) else value for number, value in shown.items()},
    }
