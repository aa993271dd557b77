"""Numbers that the store must keep and nobody may see: sealed, and compared by a keyed hash."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import NamedTuple

from pos_host.merchants.desk import Refused
from pos_specs.security.sealing import NONCE_BYTES, seal, unseal

PRINT_BYTES = 16
"""Of the keyed hash of a number: no two of all account numbers there are share one by chance."""


class Sealed(NamedTuple):
    """A number as the store keeps it: encrypted (hex), and the keyed hash by which two can be told apart."""

    sealed: str
    print: str


class NumberVault:
    """Seals numbers and papers under the host's sealing key, which lies beside the store and not in it.

    `random_bytes` gives nonces.
    """

    def __init__(self, sealing_key: bytes, random_bytes: Callable[[int], bytes]) -> None:
        self._sealing_key = sealing_key
        self._print_key = blake2b(sealing_key, digest_size=32, person=b"number-print").digest()
        self._random_bytes = random_bytes

    def __repr__(self) -> str:
        return "NumberVault()"

    def sealed(self, number: str, identity: str) -> Sealed:
        """`number` sealed for the thing called `identity` (`account 7`)."""
        return Sealed(self.seal(number.encode(), identity).hex(), self.print_of(number))

    def print_of(self, number: str) -> str:
        """The same number has the same print in this store, and in no other."""
        return blake2b(number.encode(), key=self._print_key, digest_size=PRINT_BYTES).hexdigest()

    def seal(self, content: bytes, identity: str) -> bytes:
        return seal(self._sealing_key, content, self._random_bytes(NONCE_BYTES), identity)

    def unseal(self, sealed: bytes, identity: str) -> bytes:
        """What was sealed; raises SealBroken when it was changed, or is another's."""
        return unseal(self._sealing_key, sealed, identity)


def needed(vault: NumberVault | None) -> NumberVault:
    """The vault; raises Refused on a host that was started without a key to seal with."""
    if vault is None:
        raise Refused("no_sealing_key", "this host has no sealing key, so it keeps no account numbers and no papers")
    return vault
