"""What a rule does to an answer: the `reply` of its document, checked and made ready."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from pos_host.rules.errors import RuleFailed
from pos_host.rules.rule_table import NO_ELEMENT, RuleTable, as_text, is_element
from pos_host.rules.templates import Template
from pos_host.transaction.request import Request
from pos_specs.currencies import MoneyError, find_currency, parse_amount
from pos_specs.dialect import Dialect, FunctionRule

REPLIES = {
    "response_code": "the response code, exactly as it goes over the wire; a refusal is booked as a decline",
    "approved_amount": 'with the code of a partial approval: what is approved ("30.00", or a share such as "50%")',
    "set": 'elements by number and their values, which may hold places ({"44": "{request.11}"}); binary ones in hex',
    "omit": "elements to leave out",
    "tags": 'tags added to element 55, in hex ({"72": "9F180400000001860484240000"})',
    "force_upload": "true: a settlement is judged as not balanced, so that the terminal uploads its batch",
}
"""Every key of a reply and what it does, for the documentation."""

_AMOUNT = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,4})?|(?:[1-9]?[0-9])(?:\.[0-9]{1,2})?%")
_HEX = re.compile("(?:[0-9A-Fa-f]{2}){0,255}")


class Reply(NamedTuple):
    """A rule's answer; what is empty is left as the host makes it. `values` and `tags` keep their order."""

    code: Template | None
    approved_amount: str
    values: Mapping[int, Template]
    omitted: tuple[int, ...]
    tags: tuple[tuple[str, str], ...]
    force_upload: bool

    @property
    def changes_message(self) -> bool:
        """Whether elements beside the response code are changed."""
        return bool(self.values or self.omitted or self.tags)


def read_reply(rule: RuleTable) -> Reply | None:
    """The reply of a rule; None where it has none. Raises RulesError."""
    table = rule.sub("reply")
    if table is None:
        return None
    code = _template(table, "response_code", table.raw("response_code"), early=True)
    amount = table.text(
        "approved_amount", _AMOUNT.pattern, 'must be an amount such as "30.00", or a share such as "50%"'
    )
    values = table.sub("set")
    reply = Reply(
        code,
        amount or "",
        {} if values is None else {_element(values, key): _value(values, key) for key in values.table},
        tuple(int(text) for text in table.texts("omit", is_element, "must be elements, numbers from 2 to 128")),
        _tags(table),
        table.flag("force_upload", False),
    )
    table.done("a reply")
    if amount and code is None:
        raise table.fail("approved_amount", "needs the response_code of a partial approval beside it")
    if not (code or reply.changes_message or reply.force_upload):
        raise table.fail(None, f"says nothing; it may have {', '.join(REPLIES)}")
    return reply


def _template(table: RuleTable, key: str, value: object, *, early: bool = False) -> Template | None:
    if value is None and key not in table.table:
        return None
    text = as_text(value)
    if not text:
        raise table.fail(key, "must be a text in quotes")
    try:
        return Template(text, early=early)
    except ValueError as error:
        raise table.fail(key, str(error)) from None


def _value(table: RuleTable, key: str) -> Template:
    template = _template(table, key, table.raw(key))
    if template is None:
        raise table.fail(key, "must be a text in quotes")
    return template


def _element(table: RuleTable, key: str) -> int:
    if not is_element(key):
        raise table.fail(key, NO_ELEMENT)
    return int(key)


def _tags(reply: RuleTable) -> tuple[tuple[str, str], ...]:
    table = reply.sub("tags")
    tags = []
    for key in () if table is None else table.table:
        value = as_text(table.raw(key))  # type: ignore[union-attr]
        if re.fullmatch("(?:[0-9A-Fa-f]{2}){1,4}", key) is None:
            raise table.fail(key, "is no tag: tags are hex digits, such as 72")  # type: ignore[union-attr]
        if value is None or _HEX.fullmatch(value) is None:
            raise table.fail(key, "must be hex digits in quotes, two for each byte")  # type: ignore[union-attr]
        tags.append((key.upper(), value.upper()))
    return tuple(tags)


def approves(code: str, dialect: Dialect, rule: FunctionRule) -> bool:
    """Whether a response code means an approval in the answers of a function: the usual one, or another that the
    dialect knows."""
    return code == dialect.code_for("approved", rule) or (code in dialect.codes and code in _approving())


@lru_cache(1)
def _approving() -> frozenset[str]:
    table = tomllib.loads((resources.files("pos_host.rules") / "approving_codes.toml").read_text("utf-8"))
    return frozenset(code for codes in table.values() for code in codes)


def approved_minor(written: str, request: Request) -> int:
    """The part of the request's amount that is approved, in minor units; raises RuleFailed where it is no part."""
    asked_minor = request.amount_minor or 0
    try:
        if written.endswith("%"):
            part_minor = int(asked_minor * Decimal(written[:-1]) / 100)
        else:
            part_minor = parse_amount(written, find_currency(request.currency))
    except (MoneyError, InvalidOperation):
        raise RuleFailed("approved_amount is no amount in the currency of the request") from None
    if not 0 < part_minor < asked_minor:
        raise RuleFailed("approved_amount is not above zero and below what was asked for")
    return part_minor
