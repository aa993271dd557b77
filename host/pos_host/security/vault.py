"""The working keys of terminals: sealed for the store, opened for use, never shown."""

from __future__ import annotations

from collections.abc import Callable

from pos_host.ledger.book import Book
from pos_host.ledger.entry import KeyRow
from pos_host.logs import Logger
from pos_specs.security.errors import SecurityError
from pos_specs.security.key_file import KeyRing
from pos_specs.security.keys import WorkingKeys, pack_working_keys, unpack_working_keys
from pos_specs.security.sealing import NONCE_BYTES, seal, unseal

log = Logger("pos_host.security")

NO_KEYS = WorkingKeys(b"", b"")
"""What a terminal has that never signed in and is not in the key file."""

RandomBytes = Callable[[int], bytes]


class KeyVault:
    """Seals keys for the store and opens them again. `ring` are the keys of the key file."""

    def __init__(self, ring: KeyRing, sealing_key: bytes, random_bytes: RandomBytes) -> None:
        self.ring = ring
        self.random_bytes = random_bytes
        self._sealing_key = sealing_key

    def sealed(self, book: Book, keys: WorkingKeys, at_ms: int) -> KeyRow:
        """The row that keeps `keys` for the terminal of `book`."""
        nonce = self.random_bytes(NONCE_BYTES)
        secret = seal(self._sealing_key, pack_working_keys(keys), nonce, _identity(book))
        return KeyRow(book.terminal_no, secret.hex(), at_ms)

    def keys_of(self, book: Book) -> WorkingKeys:
        """The terminal's keys: those of its last sign-in, else those of the key file, else none.

        Keys that do not open any more are told once and count as none: the terminal signs in again.
        """
        keys: WorkingKeys | None = book.keys
        if keys is None:
            keys = book.keys = self._opened(book)
        return keys

    def _opened(self, book: Book) -> WorkingKeys:
        if not book.sealed_keys:
            return self.ring.fixed_keys(book.merchant_id, book.terminal_id) or NO_KEYS
        try:
            return unpack_working_keys(unseal(self._sealing_key, bytes.fromhex(book.sealed_keys), _identity(book)))
        except (SecurityError, ValueError) as error:
            log.warning(
                "working_keys_lost", terminal_id=book.terminal_id, merchant_id=book.merchant_id, reason=str(error)
            )
            return NO_KEYS


def _identity(book: Book) -> str:
    return f"{book.merchant_id}/{book.terminal_id}"
