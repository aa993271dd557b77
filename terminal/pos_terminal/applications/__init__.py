"""The terminal's applications: what a terminal does in one family of dialects, as it is in real terminals."""

from __future__ import annotations

from pos_specs.language import Language
from pos_terminal.applications.application import Application, NotSpoken
from pos_terminal.applications.hypercom import Hypercom
from pos_terminal.applications.iso87 import Iso87
from pos_terminal.applications.unionpay import UnionPay

KEY_LENGTHS = {12: 6, 13: 4, 41: 8}
"""Time, date and terminal as every application writes them; the edition of 1993 and BASE24 have others."""

_BY_TOTALS: dict[str, type[Application]] = {"unionpay48": UnionPay, "hypercom63": Hypercom, "iso87": Iso87}


def application_for(language: Language, totals_digits: int | None = None) -> Application:
    """The application for a dialect, also a user's own: the kind of its totals tells the family.

    `totals_digits` sets a shorter form of the totals (UnionPay 31, Hypercom 60, 30 or 15); raises
    NoSuchTotals for a form the dialect does not have, NotSpoken for a dialect whose key elements are others.
    """
    elements = language.dialect.elements
    for number, length in KEY_LENGTHS.items():
        if number in elements and elements[number].max_length != length:
            name, has = language.name, elements[number].max_length
            raise NotSpoken(f"dialect {name}: element {number} has {has} characters, this terminal writes {length}")
    return _BY_TOTALS[language.dialect.totals_kind](language, totals_digits)
