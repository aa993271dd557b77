"""What a transaction is charged as, found while its message is there: one look-up by dialect, entry mode and card."""

from __future__ import annotations

from pos_host.money.products import ENTRY_MODE, Payment, ProductTable
from pos_host.transaction.request import Request
from pos_specs.cards import LONGEST_PREFIX, pan_of_track2
from pos_specs.language import Language
from pos_specs.message import Message

ANSWERS_KEPT = 4096
"""Combinations of dialect, entry mode and issuer that are remembered, then all are forgotten: a fleet has a few dozen,
and a hostile terminal could otherwise grow the table without end."""


class ChargedProducts:
    """What transactions are charged as by one table. Answers depend on nothing that the key below leaves out."""

    def __init__(self, table: ProductTable) -> None:
        self._table = table
        self._known: dict[tuple[str, str | None, str], str] = {}
        self._code_in: dict[str, int] = {}

    def of(self, request: Request) -> str:
        """The product, and after a slash how the card was read where that is known (`cloud_quickpass/contactless`)."""
        language, message, test = request.language, request.message, request.card.test
        fields = message.fields
        code_in = self._code_in.get(language.name)
        if code_in is None:
            code_in = self._code_in[language.name] = _element_of_code(language)
        if code_in in fields:
            return self._told(language, message)
        prefix = "" if test is not None else (fields.get(2) or pan_of_track2(fields.get(35, "")))[:LONGEST_PREFIX]
        key = (language.name, fields.get(ENTRY_MODE), prefix if test is None else test.name)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= ANSWERS_KEPT:
                self._known.clear()
            known = self._known[key] = self._told(language, message)
        return known

    def _told(self, language: Language, message: Message) -> str:
        payment: Payment = self._table.payment_of(language, message)
        product = self._table.product_of(payment)
        return f"{product}/{payment.entry}" if payment.entry else product


def _element_of_code(language: Language) -> int:
    """The element in which a scanned code would stand; 0, which no message has, where the dialect has none."""
    return int(language.dialect.meaning.get("wallet_code", "0").partition(".")[0])
