"""What a rule asks of a request: the `when` of its document, checked and made ready to be asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any, NamedTuple

from pos_host.clock import Instant
from pos_host.rules.patterns import PatternError, compiled
from pos_host.rules.rule_table import NO_ELEMENT, RuleTable, as_text, is_element
from pos_host.transaction.request import Request
from pos_specs.cards import pan_of_track2
from pos_specs.currencies import MINOR_DIGITS, MOST_AMOUNT_MINOR, MoneyError, find_currency, shipped_currencies
from pos_specs.dialect import matches
from pos_specs.tlv import TlvError, parse_tlv
from pos_specs.vocabulary import FUNCTIONS

Test = Callable[[Request, Instant], bool]

MOST_COUNT = 1_000_000
"""The largest nth or every: a terminal's STAN begins again there."""

MOST_DECIMALS = 4
"""Digits behind the point of an amount: no currency has more (ISO 4217)."""

ENTRY_MODE, ICC_DATA = 22, 55

_LEADING = re.compile(r"[0-9]{1,8}")
"""First digits of a card number: at most the eight of a long BIN, so that no rule file holds a card number."""

_MASKED = re.compile(r"([0-9]{0,8})[*xX]+([0-9]{0,4})")

_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")


class Condition(NamedTuple):
    """What must be true. `functions` empty: any; `tests` all of the request alone; the others of its history: which
    of the terminal's matching requests (`nth`, `every`), what it asked before (`after`), and how likely."""

    functions: tuple[str, ...] = ()
    tests: tuple[Test, ...] = ()
    after: tuple[str, ...] = ()
    nth: tuple[int, ...] = ()
    every: int = 0
    probability: float = 1.0

    def holds(self, request: Request, now: Instant, last_function: str) -> bool:
        """Whether all is true but which one of the matching requests it is."""
        if self.after and last_function not in self.after:
            return False
        for test in self.tests:  # noqa: SIM110 - twice as fast as all(), and there may be a hundred rules
            if not test(request, now):
                return False
        return True

    def wants(self, count: int) -> bool:
        """Whether the `count`th matching request of a terminal (from 1) is one that is meant."""
        if self.nth and count not in self.nth:
            return False
        return not self.every or count % self.every == 0


CONDITIONS = {
    "function": "the function, or a list of them",
    "dialect": "the dialect's name, or that of one it extends, or a list",
    "terminal_id": "the terminal, or a list",
    "merchant_id": "the merchant, or a list",
    "amount": 'the amount as people write it ("51.00"), or {from, to}, both included, either may be left out',
    "currency": "letters or number of the currency (CNY, 156), or a list",
    "pan": 'first digits of the card, at most eight, or a masked number ("622202******0005"), or a list',
    "entry_mode": "the beginning of element 22, or a list",
    "field": 'elements by number, each a regular expression found in its value, or null: absent ({"60": "^22"})',
    "tag": 'tags of element 55, each a regular expression found in its hex, or null: absent ({"9F26": "^A1"})',
    "mti": "the message type, x for any digit (02x0), or a list",
    "nth": "which of the terminal's requests for which all else is true, from 1, or a list",
    "every": "each so many of them",
    "after": "the function the terminal asked for just before, or a list",
    "probability": "how likely it acts, above 0 to 1, drawn by the seed",
    "between": 'from and to in the merchant\'s local time (["22:00", "06:00"]), the first included',
}
"""Every condition and what it takes, for the documentation; `read_condition` knows no others."""


def read_condition(rule: RuleTable) -> Condition:
    """The `when` of a rule; without one it is true of every request. Raises RulesError."""
    when = rule.sub("when")
    if when is None:
        return Condition()
    functions = when.choices("function", FUNCTIONS)
    makers = (_amount, _named, _currency, _pan, _entry_mode, _mti, _fields, _tags, _between)
    tests = tuple(test for make in makers for test in make(when))
    condition = Condition(
        functions,
        tests,
        when.choices("after", FUNCTIONS),
        _counts(when),
        when.number("every", 1, MOST_COUNT) or 0,
        _probability(when),
    )
    when.done("a condition")
    return condition


def _named(when: RuleTable) -> list[Test]:
    """Dialect (or one that it extends), terminal, merchant: names that are equal."""
    dialects, terminals, merchants = (
        frozenset(when.texts(key, bool, "must be a name or a list of names"))
        for key in ("dialect", "terminal_id", "merchant_id")
    )
    tests: list[Test] = []
    if dialects:
        tests.append(lambda request, now: not dialects.isdisjoint(_dialects_of(request)))
    if terminals:
        tests.append(lambda request, now: request.terminal_id in terminals)
    if merchants:
        tests.append(lambda request, now: request.merchant_id in merchants)
    return tests


def _dialects_of(request: Request) -> tuple[str, ...]:
    dialect = request.language.dialect
    return (dialect.name, *dialect.bases)


def _amount(when: RuleTable) -> list[Test]:
    given = when.raw("amount")
    if "amount" not in when.table:
        return []
    if isinstance(given, dict):
        bounds = RuleTable(when.document, (*when.path, "amount"), given)
        low, high = _written(bounds, "from"), _written(bounds, "to")
        bounds.done("an amount")
        if low is None and high is None:
            raise when.fail("amount", "must have from or to")
        if low is not None and high is not None and low > high:
            raise when.fail("amount", "ends before it begins")
    else:
        low = high = _written(when, "amount")

    bounds_in = {decimals: _bounds_minor(low, high, decimals) for decimals in MINOR_DIGITS}
    currencies = shipped_currencies().currencies

    def fits(request: Request, now: Instant) -> bool:
        if request.amount_minor is None:
            return False
        currency = currencies.get(request.currency)
        least_minor, most_minor = bounds_in[2 if currency is None else currency.decimals]
        return least_minor <= request.amount_minor <= most_minor

    return [fits]


def _bounds_minor(low: Decimal | None, high: Decimal | None, decimals: int) -> tuple[int, int]:
    """Both bounds in minor units of so many decimals; what no minor unit is has no amount between them."""
    least = Decimal(0) if low is None else low.scaleb(decimals).to_integral_value(ROUND_CEILING)
    most = MOST_AMOUNT_MINOR if high is None else high.scaleb(decimals).to_integral_value(ROUND_FLOOR)
    return int(least), int(most)


def _written(table: RuleTable, key: str) -> Decimal | None:
    """An amount as people write it."""
    value = table.raw(key)
    if key not in table.table:
        return None
    text = str(value) if isinstance(value, float) else as_text(value)
    try:
        amount = Decimal("NaN" if text is None else text)
    except InvalidOperation:
        amount = Decimal("NaN")
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or not -MOST_DECIMALS <= exponent <= 0 or not 0 <= amount < 10**12:
        raise table.fail(key, 'must be an amount such as "51.00"')
    return amount


def _currency(when: RuleTable) -> list[Test]:
    names = when.texts("currency", _is_currency, "must be letters or number of a currency, such as CNY or 156")
    numbers = frozenset(find_currency(name).number for name in names)
    return [lambda request, now: request.currency in numbers] if numbers else []


def _is_currency(name: str) -> bool:
    try:
        find_currency(name)
    except MoneyError:
        return False
    return True


def _pan(when: RuleTable) -> list[Test]:
    otherwise = 'must be at most eight first digits, or a masked number such as "622202******0005"'
    given = when.texts("pan", _is_pan_pattern, otherwise)
    if not given:
        return []
    ends = tuple(_ends(text) for text in given)

    def fits(request: Request, now: Instant) -> bool:
        fields = request.message.fields
        pan = fields.get(2) or pan_of_track2(fields.get(35, ""))
        return bool(pan) and any(pan.startswith(first) and pan.endswith(last) for first, last in ends)

    return [fits]


def _is_pan_pattern(text: str) -> bool:
    return (_LEADING.fullmatch(text) or _MASKED.fullmatch(text)) is not None


def _ends(text: str) -> tuple[str, str]:
    masked = _MASKED.fullmatch(text)
    return (text, "") if masked is None else (masked[1], masked[2])


def _entry_mode(when: RuleTable) -> list[Test]:
    modes = when.texts("entry_mode", lambda text: text.isalnum(), "must be the first characters of element 22")
    return [lambda request, now: request.message.fields.get(ENTRY_MODE, "").startswith(modes)] if modes else []


def _mti(when: RuleTable) -> list[Test]:
    fits = re.compile("[0-9x]{4}").fullmatch
    patterns = when.texts("mti", lambda text: fits(text) is not None, "must be four digits, x for any, such as 02x0")
    if not patterns:
        return []
    return [lambda request, now: any(matches(pattern, request.message.mti) for pattern in patterns)]


def _fields(when: RuleTable) -> list[Test]:
    table = when.sub("field")
    tests: list[Test] = []
    for key in () if table is None else table.table:
        if not is_element(key):
            raise table.fail(key, NO_ELEMENT)  # type: ignore[union-attr]
        tests.append(_field_test(int(key), _pattern(table, key)))  # type: ignore[arg-type]
    return tests


def _field_test(number: int, pattern: re.Pattern[str] | None) -> Test:
    def fits(request: Request, now: Instant) -> bool:
        value = request.message.fields.get(number)
        return (value is None) if pattern is None else value is not None and pattern.search(value) is not None

    return fits


def _tags(when: RuleTable) -> list[Test]:
    table = when.sub("tag")
    if table is None:
        return []
    patterns: dict[str, re.Pattern[str] | None] = {}
    for key in table.table:
        if re.fullmatch("(?:[0-9A-Fa-f]{2}){1,4}", key) is None:
            raise table.fail(key, "is no tag: tags are hex digits, such as 9F26")
        patterns[key.upper()] = _pattern(table, key)

    def fits(request: Request, now: Instant) -> bool:
        try:
            tags = dict(parse_tlv(bytes.fromhex(request.message.fields.get(ICC_DATA, ""))))
        except (TlvError, ValueError):
            return False
        return all(
            (tag not in tags) if pattern is None else tag in tags and pattern.search(tags[tag]) is not None
            for tag, pattern in patterns.items()
        )

    return [fits]


def _pattern(table: RuleTable, key: str) -> re.Pattern[str] | None:
    """A regular expression, None for null; what is wrong with one is told without the expression."""
    value: Any = table.raw(key)
    if value is None:
        return None
    text = as_text(value)
    if text is None:
        raise table.fail(key, "must be a regular expression in quotes, or null")
    try:
        return compiled(text)
    except PatternError as error:
        raise table.fail(key, str(error)) from None


def _between(when: RuleTable) -> list[Test]:
    given = when.raw("between")
    if "between" not in when.table:
        return []
    times = [_TIME.fullmatch(text) if isinstance(text, str) else None for text in given] if _is_pair(given) else [None]
    found = [time for time in times if time is not None]
    if len(found) != 2:
        raise when.fail("between", 'must be two times of day such as ["22:00", "23:00"]')
    begin, end = (f"{time[1]}{time[2]}{time[3] or '00'}" for time in found)
    if begin <= end:
        return [lambda request, now: begin <= now.time < end]
    return [lambda request, now: now.time >= begin or now.time < end]


def _is_pair(given: object) -> bool:
    return isinstance(given, list) and len(given) == 2


def _counts(when: RuleTable) -> tuple[int, ...]:
    given = when.raw("nth")
    if "nth" not in when.table:
        return ()
    counts = given if isinstance(given, list) else [given]
    right = [count for count in counts if type(count) is int and 1 <= count <= MOST_COUNT]
    if not right or len(right) < len(counts):
        raise when.fail("nth", f"must be a whole number from 1 to {MOST_COUNT}, or a list of them")
    return tuple(right)


def _probability(when: RuleTable) -> float:
    given = when.number("probability", 0, 1, whole=False)
    if given == 0:
        raise when.fail("probability", "must be above 0: a rule that never acts is disabled")
    return 1.0 if given is None else float(given)
