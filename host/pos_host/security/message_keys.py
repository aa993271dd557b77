"""The keys of one message: those of the terminal's sign-in, or derived for it alone (DUKPT)."""

from __future__ import annotations

from typing import NamedTuple

from pos_host.ledger.book import Book
from pos_host.security.vault import KeyVault
from pos_host.transaction.request import Request
from pos_specs.security.errors import SecurityError
from pos_specs.security.key_file import BaseKey


class Signature(NamedTuple):
    """How an answer gets its MAC: the algorithm's name and the key."""

    algorithm: str
    key: bytes

    def __repr__(self) -> str:
        return f"Signature({self.algorithm})"


class MessageKeys(NamedTuple):
    """What checks a request and signs its answer; b"" for a key that is not there, `lacking` says why."""

    pin: bytes
    pin_format: str
    mac: bytes
    signature: Signature
    lacking: str = ""

    def __repr__(self) -> str:
        return f"MessageKeys({self.signature.algorithm})"


def keys_for(request: Request, book: Book, vault: KeyVault) -> MessageKeys:
    """The keys of `request`; where it names a key serial number those of that transaction."""
    security = request.language.dialect.security
    serial = request.meaning("ksn").strip()
    if serial:
        return _derived(serial, vault, security.mac)
    keys = vault.keys_of(book)
    if keys.algorithm != "des":
        lacking = f"no source says how a key of {keys.algorithm.upper()} makes a MAC"
        return MessageKeys(b"", "", b"", Signature("", b""), lacking)
    lacking = "" if keys.mac else "the terminal has no MAC key: it did not sign in"
    return MessageKeys(keys.pin, security.pin_format, keys.mac, Signature(security.mac, keys.mac), lacking)


def _derived(serial: str, vault: KeyVault, algorithm: str) -> MessageKeys:
    """By the base key whose prefix fits (ANSI X9.24-1 and X9.24-3); AES makes CMACs and PIN blocks of format 4."""
    none = MessageKeys(b"", "", b"", Signature("", b""))
    try:
        ksn = bytes.fromhex(serial)
        base = vault.ring.base_key(ksn)
        if base is None:
            return none._replace(lacking="the key file has no base key for its KSN")
        return _session(base, ksn, algorithm)
    except (SecurityError, ValueError) as error:
        return none._replace(lacking=f"its KSN: {error}" if isinstance(error, SecurityError) else "its KSN is not hex")


def _session(base: BaseKey, ksn: bytes, algorithm: str) -> MessageKeys:
    if base.algorithm == "aes":
        from pos_specs.security import dukpt_aes

        aes = dukpt_aes.host_session_keys(base.key, ksn)
        return MessageKeys(aes.pin, "iso-4", aes.mac_generation, Signature("cmac-aes", aes.mac_verification))
    from pos_specs.security import dukpt_tdes

    tdes = dukpt_tdes.host_session_keys(base.key, ksn)
    return MessageKeys(tdes.pin, "iso-0", tdes.mac_request, Signature(algorithm, tdes.mac_response))
