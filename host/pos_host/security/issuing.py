"""New working keys at sign-in, under the terminal's master key."""

from __future__ import annotations

from typing import NamedTuple

from pos_host.ledger.book import Book
from pos_host.ledger.entry import KeyRow
from pos_host.security.vault import KeyVault
from pos_host.transaction.request import Request
from pos_specs.dialect import Dialect
from pos_specs.security.errors import SecurityError
from pos_specs.security.hypercom_keys import KEY_BYTES, build_logon
from pos_specs.security.keys import WorkingKeys, odd_parity
from pos_specs.security.unionpay_keys import SCHEMES, build_key_block, cut_working_keys
from pos_specs.text_codecs import to_text

KEYS = 62
"""The element of the keys, in UnionPay and Hypercom alike."""


class IssuedKeys(NamedTuple):
    """What a sign-in's answer carries in DE62, and the row that keeps it."""

    element: str
    row: KeyRow

    def __repr__(self) -> str:
        return "IssuedKeys(hidden)"


class CannotIssue(Exception):
    """The keys that a sign-in asks for cannot be made; the text says why and holds no key."""


class KeyIssuer:
    """Makes the keys of a sign-in, in the form of the terminal's dialect."""

    def __init__(self, vault: KeyVault) -> None:
        self._vault = vault

    def issue(self, request: Request, book: Book, at_ms: int) -> IssuedKeys | None:
        """New keys for the terminal; None where its dialect sends none or the key file has no master key for it.

        Raises CannotIssue.
        """
        form = request.language.dialect.security.keys
        master_key = self._vault.ring.tmk(book.merchant_id, book.terminal_id)
        if form == "none" or master_key is None:
            return None
        try:
            keys, element = self._unionpay(request, master_key) if form == "unionpay" else self._hypercom(master_key)
        except SecurityError as error:
            raise CannotIssue(str(error)) from None
        return IssuedKeys(_as_value(request.language.dialect, element), self._vault.sealed(book, keys, at_ms))

    def _unionpay(self, request: Request, master_key: bytes) -> tuple[WorkingKeys, bytes]:
        """In the scheme that 60.3 asks for (unionpay.md 5.1)."""
        scheme = SCHEMES.get(request.message.fields.get(60, "")[8:11])
        if scheme is None:
            raise CannotIssue("60.3 names no known scheme of keys")
        keys = cut_working_keys(scheme, self._vault.random_bytes(scheme.material_bytes))
        return keys, build_key_block(master_key, keys)

    def _hypercom(self, master_key: bytes) -> tuple[WorkingKeys, bytes]:
        """Two single-length keys and the merchant's lines (hypercom.md 2.4)."""
        from pos_specs.terminal_parameters import shipped_terminal_parameters  # at the first logon, not at the start

        material = odd_parity(self._vault.random_bytes(2 * KEY_BYTES))
        keys = WorkingKeys(material[:KEY_BYTES], material[KEY_BYTES:])
        return keys, build_logon(master_key, keys, shipped_terminal_parameters().merchant_lines)


def _as_value(dialect: Dialect, data: bytes) -> str:
    """Bytes as the value of element 62: hex, or the characters they are in the dialect's text."""
    element = dialect.elements[KEYS]
    return data.hex().upper() if element.content == "b" else to_text(data, element.text)
