"""The block ciphers of the trade, DES, 3DES, AES and SM4: the one place that calls cryptography for them.

An encryptor costs 4 µs to make and 1 µs to use, so those of working keys are kept, in a bounded cache. They belong to
the thread of the message path: two threads must not encipher under one key at the same moment.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from pos_specs.security.errors import SecurityError, UnusableKey

if TYPE_CHECKING:
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm

Algorithm = Literal["des", "aes", "sm4"]
"""A cipher; `des` is DES, 3DES with two keys or with three, as the length of the key says."""

BLOCK_BYTES: dict[Algorithm, int] = {"des": 8, "aes": 16, "sm4": 16}
KEY_BYTES: dict[Algorithm, tuple[int, ...]] = {"des": (8, 16, 24), "aes": (16, 24, 32), "sm4": (16,)}

KEPT_CIPHERS = 4096
"""Encryptors and decryptors kept, each kind: the MAC and PIN keys of two thousand busy terminals, about 4 MB. With
more terminals some are made anew, which is slower by the 4 µs and otherwise the same."""

Update = Callable[[bytes], bytes]


def encrypt_ecb(key: bytes, data: bytes, algorithm: Algorithm = "des") -> bytes:
    """`data`, whole blocks, enciphered block by block under a key that will be used again."""
    return _encryptor(key, algorithm)(_whole(data, algorithm))


def decrypt_ecb(key: bytes, data: bytes, algorithm: Algorithm = "des") -> bytes:
    """`data`, whole blocks, deciphered block by block under a key that will be used again."""
    return _decryptor(key, algorithm)(_whole(data, algorithm))


def encrypt_once(key: bytes, data: bytes, algorithm: Algorithm = "des") -> bytes:
    """As `encrypt_ecb`, under a key of this moment only: it does not push the others out of the cache."""
    return _new(key, algorithm, encrypting=True)(_whole(data, algorithm))


def cmac(key: bytes, data: bytes, algorithm: Algorithm = "des") -> bytes:
    """The CMAC of any number of bytes, one block long (NIST SP 800-38B)."""
    from cryptography.hazmat.primitives.cmac import CMAC

    mac = CMAC(_cipher(key, algorithm))
    mac.update(data)
    return mac.finalize()


def triple_des(key: bytes) -> TripleDES:
    """3DES for cryptography under a key of 8, 16 or 24 bytes, without its warnings.

    It has moved to `decrepit`, and is to lose its shorter keys: they are written out to 24 bytes here, which is the
    same cipher (K → K K K is DES, K1 K2 → K1 K2 K1).
    """
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES

    return TripleDES((key * 3)[:24])


def check_key(key: bytes, algorithm: Algorithm) -> None:
    """Raises UnusableKey unless `key` has a length that the cipher takes."""
    if len(key) not in KEY_BYTES[algorithm]:
        lengths = ", ".join(map(str, KEY_BYTES[algorithm]))
        raise UnusableKey(f"a key of {len(key)} bytes does not fit {algorithm.upper()}, which takes {lengths}")


@lru_cache(maxsize=KEPT_CIPHERS)
def _encryptor(key: bytes, algorithm: Algorithm) -> Update:
    return _new(key, algorithm, encrypting=True)


@lru_cache(maxsize=KEPT_CIPHERS)
def _decryptor(key: bytes, algorithm: Algorithm) -> Update:
    return _new(key, algorithm, encrypting=False)


def _new(key: bytes, algorithm: Algorithm, *, encrypting: bool) -> Update:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

    cipher = Cipher(_cipher(key, algorithm), modes.ECB())
    try:
        return cipher.encryptor().update if encrypting else cipher.decryptor().update
    except UnsupportedAlgorithm:
        raise UnusableKey(f"the OpenSSL of this machine has no {algorithm.upper()}") from None


def _cipher(key: bytes, algorithm: Algorithm) -> BlockCipherAlgorithm:
    from cryptography.hazmat.primitives.ciphers import algorithms

    check_key(key, algorithm)
    if algorithm == "des":
        return triple_des(key)
    return algorithms.AES(key) if algorithm == "aes" else algorithms.SM4(key)


def _whole(data: bytes, algorithm: Algorithm) -> bytes:
    # A kept encryptor would hold an incomplete block back and join it to the next message.
    if not data or len(data) % BLOCK_BYTES[algorithm]:
        raise SecurityError(f"{len(data)} bytes are no whole blocks of {algorithm.upper()}")
    return data
