"""Message authentication codes by name, as a dialect chooses them.

| name | what | result | key bytes |
|---|---|---|---|
| `pos-ecb` | UnionPay's: XOR of all blocks, its hex digits enciphered (unionpay.md 5.3) | 8 hex characters | 8, 16 |
| `x9.19` | retail MAC, ISO 9797-1 algorithm 3: DES chain, 3DES at the end (hypercom.md 5) | 8 bytes | 8, 16 |
| `x9.9` | CBC-MAC, ISO 9797-1 algorithm 1 | 8 bytes | 8, 16, 24 |
| `cmac` | CMAC with 3DES, NIST SP 800-38B | 8 bytes | 8, 16, 24 |
| `cmac-aes` | CMAC with AES | 16 bytes | 16, 24, 32 |
| `chanjet` | XOR of all blocks, enciphered once (unionpay.md 5.3, CJ variant) | 8 bytes | 8, 16 |

All over the bytes from the MTI up to the element before the MAC, whose bit is set already. Short data is filled with
zero bytes except in CMAC, which has a filling of its own.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import reduce
from operator import xor

from pos_specs.security.ciphers import check_key, cmac, encrypt_ecb
from pos_specs.security.errors import SecurityError, UnusableKey
from pos_specs.security.quiet_libraries import quiet_psec

ZERO_PADDING = 1
"""ISO/IEC 9797-1 padding method 1: zero bytes up to a whole block, none when it is whole already."""


def make_mac(algorithm: str, key: bytes, data: bytes) -> bytes:
    """The whole MAC of `data`; raises SecurityError for an unknown name, UnusableKey for a wrong key."""
    try:
        compute = ALGORITHMS[algorithm]
    except KeyError:
        raise SecurityError(f"MAC {algorithm!r} is unknown, there are {', '.join(ALGORITHMS)}") from None
    return compute(key, data)


def pos_ecb(key: bytes, data: bytes) -> bytes:
    """UnionPay's MAC: eight upper-case hexadecimal characters (unionpay.md 5.3)."""
    _check_length("pos-ecb", key)
    digits = xor_of_blocks(data).hex().upper().encode("ascii")
    return finish_pos_ecb(key, digits)[:4].hex().upper().encode("ascii")


def finish_pos_ecb(key: bytes, digits: bytes) -> bytes:
    """Steps 4 to 6 of UnionPay's MAC: eight bytes out of the sixteen hex digits of the XOR of all blocks."""
    first = encrypt_ecb(key, digits[:8])
    return encrypt_ecb(key, _xor_8(first, digits[8:]))


def xor_of_blocks(data: bytes) -> bytes:
    """The XOR of all blocks of eight bytes, the last filled with zeros; zeros for no data."""
    whole = data + bytes(-len(data) % 8)
    return reduce(xor, struct.unpack(f">{len(whole) // 8}Q", whole), 0).to_bytes(8, "big")


def retail_mac(key: bytes, data: bytes, padding: int = ZERO_PADDING) -> bytes:
    """ISO/IEC 9797-1 algorithm 3 with padding method 1, 2 or 3: eight bytes.

    A key of 8 bytes, as a Hypercom logon gives, stands for both halves; the MAC is then that of X9.9.
    """
    _check_length("x9.19", key)
    mac: bytes = quiet_psec().mac.generate_retail_mac(key[:8], key[-8:], data, padding)
    return mac


def cbc_mac(key: bytes, data: bytes, padding: int = ZERO_PADDING) -> bytes:
    """ISO/IEC 9797-1 algorithm 1 over DES or 3DES with padding method 1, 2 or 3: eight bytes."""
    check_key(key, "des")
    mac: bytes = quiet_psec().mac.generate_cbc_mac(key, data, padding)
    return mac


def chanjet(key: bytes, data: bytes) -> bytes:
    """Chanjet's MAC: the XOR of all blocks enciphered once, eight bytes.

    That all eight bytes are sent as they are is our choice: the source describes no more than the two steps.
    """
    _check_length("chanjet", key)
    return encrypt_ecb(key, xor_of_blocks(data))


ALGORITHMS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "pos-ecb": pos_ecb,
    "x9.19": retail_mac,
    "x9.9": cbc_mac,
    "cmac": cmac,
    "cmac-aes": lambda key, data: cmac(key, data, "aes"),
    "chanjet": chanjet,
}
"""A MAC's function by its name: (key, data) → MAC."""


def _check_length(algorithm: str, key: bytes) -> None:
    if len(key) not in (8, 16):
        raise UnusableKey(f"a MAC key of {len(key)} bytes does not fit {algorithm}, which takes 8 or 16")


def _xor_8(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(8, "big")
