"""Keys themselves: check values, parity, and the working keys of one terminal."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from pos_specs.security.ciphers import BLOCK_BYTES, Algorithm, encrypt_once
from pos_specs.security.errors import KeyBlockError, KeyCheckFailed

CHECK_VALUE_BYTES = 4
"""UnionPay sends four bytes (unionpay.md 5.1); others show three or two: the first of these."""


@dataclass(slots=True)
class WorkingKeys:
    """The keys of one terminal between two sign-ins; b"" stands for a key it does not have.

    Its repr shows the cipher and nothing else. `algorithm` is the cipher of all of them.
    """

    pin: bytes = field(repr=False)
    mac: bytes = field(repr=False)
    track: bytes = field(repr=False, default=b"")
    algorithm: Algorithm = "des"


def check_value(key: bytes, algorithm: Algorithm = "des", length: int = CHECK_VALUE_BYTES) -> bytes:
    """The first bytes of a block of zeros enciphered under the key (unionpay.md 5.1).

    For SM4 the same rule is applied to its block of sixteen zeros: our choice, no source says it.
    """
    return encrypt_once(key, bytes(BLOCK_BYTES[algorithm]), algorithm)[:length]


def verify_check_value(key: bytes, stated: bytes, key_name: str, algorithm: Algorithm = "des") -> None:
    """Raises KeyCheckFailed naming `key_name` unless the key gives the stated check value."""
    if not stated or not hmac.compare_digest(check_value(key, algorithm, len(stated)), stated):
        raise KeyCheckFailed(key_name)


def odd_parity(key: bytes) -> bytes:
    """The key with the last bit of each byte set so that it has an odd number of ones, as DES keys are issued.

    DES ignores these bits; PIN pads may refuse a key without them.
    """
    return bytes(byte & 0xFE | (byte >> 1).bit_count() % 2 ^ 1 for byte in key)


def pack_working_keys(keys: WorkingKeys) -> bytes:
    """The keys as bytes for `sealing.seal`: the cipher's number, then each key behind its length."""
    parts = (keys.pin, keys.mac, keys.track)
    return bytes((_CIPHERS.index(keys.algorithm),)) + b"".join(bytes((len(key),)) + key for key in parts)


def unpack_working_keys(packed: bytes) -> WorkingKeys:
    """What `pack_working_keys` packed; raises KeyBlockError for anything else."""
    parts: list[bytes] = []
    place = 1
    while place < len(packed) and len(parts) < 3:
        end = place + 1 + packed[place]
        parts.append(packed[place + 1 : end])
        place = end
    if len(parts) != 3 or place != len(packed) or packed[0] >= len(_CIPHERS):
        raise KeyBlockError(f"{len(packed)} bytes are no packed working keys")
    pin, mac, track = parts
    return WorkingKeys(pin, mac, track, _CIPHERS[packed[0]])


_CIPHERS: tuple[Algorithm, ...] = ("des", "aes", "sm4")
"""In the order of their numbers in a store: only ever add at the end."""
