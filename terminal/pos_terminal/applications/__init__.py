"""The terminal's applications: what a terminal does in one family of dialects, as it is in real terminals."""

from __future__ import annotations

from pos_specs.dialect import Dialect
from pos_specs.language import Language
from pos_terminal.applications.application import Application, NotSpoken
from pos_terminal.applications.base24 import Base24
from pos_terminal.applications.hypercom import Hypercom
from pos_terminal.applications.iso87 import Iso87
from pos_terminal.applications.iso93 import Iso93
from pos_terminal.applications.unionpay import UnionPay

_BY_TOTALS: dict[str, type[Application]] = {"unionpay48": UnionPay, "hypercom63": Hypercom, "iso87": Iso87}


def application_for(language: Language, totals_digits: int | None = None) -> Application:
    """The application for a dialect, also a user's own: totals, edition and DE90 tell the family.

    `totals_digits` sets a shorter form of the totals (UnionPay 31, Hypercom 60, 30 or 15); raises
    NoSuchTotals for a form the dialect does not have, NotSpoken for a dialect whose clock stands otherwise.
    """
    elements = language.dialect.elements
    family = _family(language.dialect)
    for number, length in family.clock_lengths.items():
        if number in elements and elements[number].max_length != length:
            name, has = language.name, elements[number].max_length
            raise NotSpoken(f"dialect {name}: element {number} has {has} characters, this terminal writes {length}")
    return family(language, totals_digits)


def _family(dialect: Dialect) -> type[Application]:
    if dialect.totals_kind == "iso87" and dialect.edition == "1993":
        return Iso93
    if dialect.totals_kind == "iso87" and dialect.meaning.get("original_rrn", "").startswith("90."):
        return Base24
    return _BY_TOTALS[dialect.totals_kind]
