"""The terminal's applications: what a terminal does in one family of dialects, as it is in real terminals."""

from __future__ import annotations

from pos_specs.language import Language
from pos_terminal.applications.application import Application
from pos_terminal.applications.hypercom import Hypercom
from pos_terminal.applications.iso87 import Iso87
from pos_terminal.applications.unionpay import UnionPay

_BY_TOTALS: dict[str, type[Application]] = {"unionpay48": UnionPay, "hypercom63": Hypercom, "iso87": Iso87}


def application_for(language: Language, totals_digits: int | None = None) -> Application:
    """The application for a dialect, also a user's own: the kind of its totals tells the family.

    `totals_digits` sets a shorter form of the totals (UnionPay 31, Hypercom 60, 30 or 15); raises
    NoSuchTotals for a form the dialect does not have.
    """
    return _BY_TOTALS[language.dialect.totals_kind](language, totals_digits)
