"""What an exchange must be to be one that is wanted, and in what another one differs from that.

Whoever asks in this process may name values in clear; who asks from outside compares what is shown of them, so that
nobody finds out a hidden digit by trying.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pos_host.exchanges import Exchange
from pos_host.merchants.long_numbers import without_foreign_numbers
from pos_specs.card_search import cards_in
from pos_specs.cards import PAN_DIGITS
from pos_specs.currencies import MOST_AMOUNT_MINOR, MoneyError, find_currency, parse_amount
from pos_specs.masking import mask_fields, mask_pan, mask_parts
from pos_specs.message import Message
from pos_specs.vocabulary import FUNCTIONS

PRESENT = "*"
"""Stands for any value at all: the element must be there."""

PLACE_MOST = 64
"""Characters of an element's place: `48.operator_name` is a long one."""

VALUE_MOST = 999
"""The longest value of an element that ISO 8583 can count in three digits."""

FIELDS_MOST = 128
"""There are no more elements than that."""

ECHOED_MOST = 15
"""Characters of an element's wanted value that are told again: as many as a merchant's number has (element 42)."""

HIDDEN = frozenset({"34", "35", "36", "45", "52", "53", "55", "64", "128"})
"""Elements that hold what is never shown, in every edition: tracks, PIN block, keys, chip data, MAC."""

IDS = frozenset({"terminal_id", "merchant_id", "41", "42"})
"""Conditions and elements that name a terminal or a merchant, whose numbers are as long as a short card number."""

_CARD_LIKE = re.compile(r"[0-9](?:[ .-]?[0-9]){12,}")
"""Thirteen digits and more, also in groups: as many as a card number in use has at least."""

_PLACE = re.compile(r"([0-9]{1,3})(?:\..+)?")

_MASKED = re.compile(r"[0-9]{6}[*]{2,9}[0-9]{4}")


class WantedError(ValueError):
    """A condition that says nothing; the text names it and what is wrong."""


class Difference(NamedTuple):
    """One thing that is not as wanted: `what` is `DE4` or `terminal_id`, the values as they may be shown, None where
    there is none."""

    what: str
    wanted: str | None
    came: str | None

    def __str__(self) -> str:
        if self.came is None:
            return f"{self.what} absent"
        if self.wanted is None:
            return f"{self.what} was there, {self.came}, and should not be"
        if self.wanted == self.came:
            return f"{self.what} was {self.came}, the same only as far as it is shown"
        return f"{self.what} was {self.came or 'empty'} instead of {self.wanted}"


class Wanted(NamedTuple):
    """What is looked for. `facts` are an exchange's own (function, terminal …), `elements` values of its request by
    place (`4`, `60.batch_number`; None: it must be absent), `card` a card number, whole or masked.

    `given` are the conditions as they may be shown.
    """

    facts: tuple[tuple[str, str], ...]
    elements: tuple[tuple[str, str | None], ...]
    card: str | None
    given: tuple[tuple[str, Any], ...]

    def __repr__(self) -> str:
        """As it may be shown: a repr ends in logs."""
        return f"Wanted({self.in_words()})"

    @property
    def function(self) -> str | None:
        """The function that is looked for, None for any."""
        return dict(self.facts).get("function")

    def in_words(self) -> str:
        """`purchase (amount_minor 1234, currency 156)`."""
        rest = [f"{name} {_told(value)}" for name, value in self.given if name != "function"]
        what = self.function or "message"
        return f"{what} ({', '.join(rest)})" if rest else what


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return " and ".join(f"{place} {'absent' if item is None else item}" for place, item in value.items())
    return str(value)


_FACTS: dict[str, Callable[[Exchange], str]] = {
    "function": lambda exchange: exchange.function,
    "terminal_id": lambda exchange: exchange.terminal_id,
    "merchant_id": lambda exchange: exchange.merchant_id,
    "dialect": lambda exchange: exchange.language.name,
    "mti": lambda exchange: "" if exchange.request is None else exchange.request.mti,
    "outcome": lambda exchange: exchange.outcome,
    "response_code": lambda exchange: exchange.response_code,
    "fault": lambda exchange: exchange.fault,
}
"""Conditions that are no element of the request."""


def wanted_of(document: Mapping[str, Any]) -> Wanted:
    """The conditions of a document; raises WantedError. Without any, everything is wanted."""
    facts: list[tuple[str, str]] = []
    elements: dict[str, str | None] = {}
    given: dict[str, Any] = {}
    card: str | None = None
    for name, value in document.items():
        if value is None:
            continue
        given[name] = _without_cards(name, value) if isinstance(value, str) else value
        if name in _FACTS or name == "rule":
            facts.append((name, _text(name, value)))
        elif name in _ELEMENTS:
            place, read = _ELEMENTS[name]
            elements[place] = read(name, value, document)
        elif name == "fields":
            fields = _elements(value)
            elements.update(fields)
            given[name] = {_without_cards("", place): _echoed(place, item) for place, item in fields.items()}
        elif name == "card":
            card = _card_number(name, value)
            given[name] = shown_card(card)
        else:
            raise WantedError(f"{name[:PLACE_MOST]}: is not known here; there are {', '.join(CONDITIONS)}")
    if dict(facts).get("function", FUNCTIONS[0]) not in FUNCTIONS:
        raise WantedError(f"function: must be one of {', '.join(FUNCTIONS)}")
    return Wanted(tuple(facts), tuple(elements.items()), card, tuple(given.items()))


def differences(exchange: Exchange, wanted: Wanted, *, clear: bool = True) -> list[Difference]:
    """In what an exchange is not as wanted, nothing where it is; `clear` compares also what may not be shown."""
    found = [difference for name, value in wanted.facts if (difference := _fact(exchange, name, value)) is not None]
    request = exchange.request
    if request is None:
        if wanted.elements or wanted.card is not None:
            found.append(Difference("message", "one that can be read", exchange.reason or "unreadable"))
        return found
    shown = mask_fields(exchange.language, request) if wanted.elements else {}
    for place, value in wanted.elements:
        difference = _element(exchange, request, shown, place, value, clear=clear)
        if difference is not None:
            found.append(difference)
    if wanted.card is not None and (odd := _card(exchange, request, wanted.card, clear=clear)) is not None:
        found.append(odd)
    return found


def shown_card(card: str) -> str:
    """A card number masked, also where it was given so."""
    return card if _MASKED.fullmatch(card) else mask_pan(card)


def _card(exchange: Exchange, request: Message, card: str, *, clear: bool) -> Difference | None:
    """A number in full is compared in full by those who may see it."""
    cards = cards_in(exchange.language, request)
    masked = {mask_pan(number) for number in cards}
    if (card in cards) if clear and card.isdigit() else (shown_card(card) in masked):
        return None
    return Difference("card", shown_card(card), ", ".join(sorted(masked)) or None)


def _fact(exchange: Exchange, name: str, value: str) -> Difference | None:
    shown = _without_cards(name, value)
    if name == "rule":
        return None if value in exchange.rules else Difference(name, shown, ", ".join(exchange.rules) or None)
    came = _FACTS[name](exchange)
    return None if came == value else Difference(name.replace("_", " "), shown, came)


def _element(
    exchange: Exchange, request: Message, shown: dict[str, str], place: str, value: str | None, *, clear: bool
) -> Difference | None:
    name = f"DE{_without_cards('', place)}"
    number, _, part = place.partition(".")
    came, to_show = request.fields.get(int(number)), shown.get(number)
    if part:
        came, to_show = _part_values(exchange, request, number, part)
    if came is None:
        return None if value is None else Difference(name, _echoed(place, value), None)
    if value == PRESENT:
        return None
    hidden = to_show if to_show is not None else "*" * len(came)
    if value is None:
        return Difference(name, None, hidden)
    wanted = _padded(exchange, number, value) if not part else value
    if wanted == came and (clear or hidden == came):
        return None
    if part:
        return Difference(name, _without_cards("", wanted) if hidden == came else "…", hidden)
    wanted_shown = _as_shown(exchange, request, int(number), wanted)
    if not clear and hidden == wanted_shown and set(hidden) != {"*"}:
        return None
    return Difference(name, wanted_shown, hidden)


def _part_values(exchange: Exchange, request: Message, number: str, part: str) -> tuple[str | None, str | None]:
    """A part of an element, or a tag of DE55, in clear and as it may be shown."""
    clear = exchange.language.parts.of(request, int(number)) if int(number) in request.fields else None
    came = (clear or {}).get(part)
    if not isinstance(came, str):
        return None, None
    to_show = mask_parts(exchange.language, request).get(number, {}).get(part)
    return came, to_show if isinstance(to_show, str) else None


def _padded(exchange: Exchange, number: str, value: str) -> str:
    """Digits filled on the left to the length of an element that has always the same."""
    element = exchange.language.dialect.elements.get(int(number))
    if element is None or element.length_digits or element.content != "n" or not value.isdigit():
        return value
    return value.zfill(element.max_length)


def _as_shown(exchange: Exchange, request: Message, number: int, value: str) -> str:
    """A wanted value masked as the element's own values are; one that was given masked stays as it is."""
    if _MASKED.fullmatch(value):
        return value
    element = exchange.language.dialect.elements.get(number)
    if element is None or (element.content != "b" and len(value) > element.max_length):
        return _without_cards("", value)  # no value of this element, whose places say nothing of it then
    try:
        masked = mask_fields(exchange.language, Message(request.mti, {**request.fields, number: value}))
    except ValueError:  # no value that such an element could have
        return "*" * len(value)
    return masked[str(number)]


def _echoed(place: str, value: str | None) -> str | None:
    """A wanted value as it may be told again, before it is known what element it is held against."""
    number, _, _ = place.partition(".")
    if value is None or value == PRESENT:
        return value
    if number == "2":
        return shown_card(value)
    return "…" if number in HIDDEN or len(value) > ECHOED_MOST else _without_cards(number, value)


def _without_cards(name: str, text: str) -> str:
    """The text of a condition as it may be told again: without what may be a card number, unless it is an id."""
    if name in IDS:
        return without_foreign_numbers(text)
    return _CARD_LIKE.sub(lambda found: "*" * len(found[0]), text)


def _card_number(name: str, value: Any) -> str:
    """A card number, whole or masked. Anything else would be found in no message, and its absence prove nothing."""
    card = _text(name, value)
    if _MASKED.fullmatch(card) is None and not (card.isascii() and card.isdigit() and len(card) in PAN_DIGITS):
        raise WantedError(f"{name}: must be a card number without spaces, or a masked one such as 622202******0005")
    return card


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > VALUE_MOST:
        raise WantedError(f"{name}: must be a text of 1 to {VALUE_MOST} characters")
    return value


def _amount(name: str, value: Any, document: Mapping[str, Any]) -> str:
    """An amount as people write it, in the wanted currency, else with two digits behind the point."""
    try:
        return str(parse_amount(_text(name, value), find_currency(document.get("currency") or "CNY")))
    except MoneyError as error:
        raise WantedError(f"{name}: {error}") from None


def _amount_minor(name: str, value: Any, document: Mapping[str, Any]) -> str:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_AMOUNT_MINOR:
        raise WantedError(f"{name}: must be a whole number of minor units, 0 to {MOST_AMOUNT_MINOR}")
    return str(value)


def _currency(name: str, value: Any, document: Mapping[str, Any]) -> str:
    try:
        return find_currency(_text(name, value)).number
    except MoneyError as error:
        raise WantedError(f"{name}: {error}") from None


def _stan(name: str, value: Any, document: Mapping[str, Any]) -> str:
    return _text(name, value).zfill(6)


def _elements(value: Any) -> dict[str, str | None]:
    """`{"4": "000000001234", "60.batch_number": "000001", "52": None}`."""
    if not isinstance(value, Mapping) or len(value) > FIELDS_MOST:
        raise WantedError('fields: must be elements by number, such as {"25": "00"}')
    elements: dict[str, str | None] = {}
    for key, item in value.items():
        place = str(key)
        if len(place) > PLACE_MOST or not _is_place(place):
            raise WantedError(
                f"fields: {place[:PLACE_MOST]!r} is neither an element's number nor a part: 60.batch_number"
            )
        elements[place] = None if item is None else _text(f"fields.{place}", item)
    return elements


def _is_place(place: str) -> bool:
    """Whether a text names an element, or a part of one."""
    found = _PLACE.fullmatch(place)
    return found is not None and 2 <= int(found[1]) <= FIELDS_MOST


_ELEMENTS: dict[str, tuple[str, Callable[[str, Any, Mapping[str, Any]], str]]] = {
    "amount": ("4", _amount),
    "amount_minor": ("4", _amount_minor),
    "stan": ("11", _stan),
    "currency": ("49", _currency),
}
"""Conditions that name an element which stands at the same place in every edition of ISO 8583."""

CONDITIONS = (*_FACTS, "rule", *_ELEMENTS, "card", "fields")
"""Every condition there is."""
