"""Small secrets sealed for a store: AES-256-GCM under a key that lies beside it, not in it.

A sealed secret: one byte of version, twelve of nonce, the ciphertext with its tag of sixteen. It opens only for the
terminal that it was sealed for.
"""

from __future__ import annotations

from pos_specs.security.errors import SealBroken, UnusableKey

SEALING_KEY_BYTES = 32
NONCE_BYTES = 12
"""GCM's own length. Drawn at random, 2^32 secrets may be sealed under one key (NIST SP 800-38D 8.3)."""

_VERSION = b"\x01"
_TAG_BYTES = 16


def seal(sealing_key: bytes, secret: bytes, nonce: bytes, identity: str) -> bytes:
    """`secret` sealed for the terminal `identity`; `nonce` is twelve random bytes, never used twice under a key.

    Raises UnusableKey for a key that has not 32 bytes, SealBroken for a nonce of another length.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    _check(sealing_key)
    if len(nonce) != NONCE_BYTES:
        raise SealBroken(f"a nonce has {NONCE_BYTES} bytes, not {len(nonce)}")
    return _VERSION + nonce + AESGCM(sealing_key).encrypt(nonce, secret, _bound_to(identity))


def unseal(sealing_key: bytes, sealed: bytes, identity: str) -> bytes:
    """The secret that was sealed for this terminal.

    Raises SealBroken when it was cut or changed, sealed for another terminal or under another key; which of these it
    was cannot be known.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    _check(sealing_key)
    if len(sealed) < 1 + NONCE_BYTES + _TAG_BYTES:
        raise SealBroken(f"{len(sealed)} bytes are no sealed secret")
    if sealed[:1] != _VERSION:
        raise SealBroken(f"the sealed secret has version {sealed[0]}, only {_VERSION[0]} is known")
    nonce, content = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return AESGCM(sealing_key).decrypt(nonce, content, _bound_to(identity))
    except InvalidTag:
        raise SealBroken("the sealed secret does not open: another key, another terminal, or changed") from None


def _bound_to(identity: str) -> bytes:
    return _VERSION + identity.encode("utf-8")


def _check(sealing_key: bytes) -> None:
    if len(sealing_key) != SEALING_KEY_BYTES:
        raise UnusableKey(f"a sealing key has {SEALING_KEY_BYTES} bytes, not {len(sealing_key)}")
