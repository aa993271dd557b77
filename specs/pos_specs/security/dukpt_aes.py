"""AES DUKPT, ANSI X9.24-3:2017: a key of its own for every transaction, from a base key and a serial number.

A KSN has twelve bytes: eight that name base key and device, four of transaction counter. Counters with more than
sixteen ones are skipped. Keys are derived by enciphering a block that says what the key is for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pos_specs.security.ciphers import check_key, encrypt_once
from pos_specs.security.errors import KeySerialError, UnusableKey

KSN_BYTES = 12
DEVICE_BYTES = 8
MOST_ONES = 16
"""Ones in a counter (X9.24-3 6.1): the steps that a key may take at most."""

_LAST_COUNTER = 0xFFFF0000

_PIN = 0x1000
_MAC_GENERATION = 0x2000
_MAC_VERIFICATION = 0x2001
_DATA_ENCRYPTION = 0x3000
_DATA_DECRYPTION = 0x3001
_DERIVATION = 0x8000
_INITIAL = 0x8001

_AES_OF_BYTES = {16: 2, 24: 3, 32: 4}
"""The number of AES with a key of so many bytes in a derivation block (X9.24-3 6.3.2)."""


@dataclass(slots=True)
class AesSessionKeys:
    """The keys of one transaction; the repr shows none of them.

    Named from the device: `mac_generation` is for what it sends, `mac_verification` for what it is answered.
    """

    pin: bytes = field(repr=False)
    mac_generation: bytes = field(repr=False)
    mac_verification: bytes = field(repr=False)
    data_encryption: bytes = field(repr=False)
    data_decryption: bytes = field(repr=False)


def initial_key(base_key: bytes, ksn: bytes) -> bytes:
    """The key that a device is loaded with, as long as the base key; the KSN's counter does not matter."""
    check_key(base_key, "aes")
    return _derive(base_key, _INITIAL, len(base_key), read_ksn(ksn)[:DEVICE_BYTES])


def transaction_key(device_key: bytes, ksn: bytes) -> bytes:
    """The key of one transaction out of the device's initial key; raises KeySerialError for the counter 0."""
    check_key(device_key, "aes")
    whole = read_ksn(ksn)
    counter = _counter(whole)
    if not counter:
        raise KeySerialError("the counter of the KSN is 0: the first transaction has 1")
    key, reached = device_key, 0
    for place in reversed(range(32)):
        if counter >> place & 1:
            reached |= 1 << place
            key = _derive(key, _DERIVATION, len(key), _context(whole, reached))
    return key


def session_keys(key: bytes, ksn: bytes, key_bytes: int | None = None) -> AesSessionKeys:
    """The keys of one transaction by purpose, out of its transaction key.

    `key_bytes` is their length, that of the transaction key if not given; raises UnusableKey when it is longer than
    that one or no length of AES.
    """
    length = key_bytes or len(key)
    if length not in _AES_OF_BYTES or length > len(key):
        raise UnusableKey(f"no AES key of {length} bytes can be derived from one of {len(key)}")
    whole = read_ksn(ksn)
    context = _context(whole, _counter(whole))
    purposes = (_PIN, _MAC_GENERATION, _MAC_VERIFICATION, _DATA_ENCRYPTION, _DATA_DECRYPTION)
    return AesSessionKeys(*(_derive(key, purpose, length, context) for purpose in purposes))


def host_session_keys(base_key: bytes, ksn: bytes, key_bytes: int | None = None) -> AesSessionKeys:
    """What a host needs for a message with this KSN, from the base key."""
    return session_keys(transaction_key(initial_key(base_key, ksn), ksn), ksn, key_bytes)


def next_ksn(ksn: bytes) -> bytes:
    """The KSN of a device's next transaction; raises KeySerialError when its last key has been used."""
    whole = read_ksn(ksn)
    counter = _counter(whole)
    step = counter & -counter if counter.bit_count() == MOST_ONES else 1
    if counter + step > _LAST_COUNTER:
        raise KeySerialError("the device has used its last key and needs a new initial key")
    return whole[:DEVICE_BYTES] + (counter + step).to_bytes(4, "big")


def read_ksn(ksn: bytes) -> bytes:
    """The KSN as it is; raises KeySerialError for another length and for a counter that DUKPT skips."""
    if len(ksn) != KSN_BYTES:
        raise KeySerialError(f"a KSN of AES DUKPT has {KSN_BYTES} bytes, not {len(ksn)}")
    if _counter(ksn).bit_count() > MOST_ONES:
        raise KeySerialError(f"the counter of the KSN has more than {MOST_ONES} ones: DUKPT skips it")
    return ksn


def _derive(key: bytes, purpose: int, length: int, context: bytes) -> bytes:
    """A key of `length` bytes: derivation blocks (X9.24-3 6.3.2) enciphered one after the other, cut to length.

    A block: version 1, number of the block, purpose, algorithm, length in bits, eight bytes of context.
    """
    derived = b""
    for number in range(1, (length + 15) // 16 + 1):
        head = bytes((1, number)) + purpose.to_bytes(2, "big") + _AES_OF_BYTES[length].to_bytes(2, "big")
        derived += encrypt_once(key, head + (length * 8).to_bytes(2, "big") + context, "aes")
    return derived[:length]


def _context(whole_ksn: bytes, counter: int) -> bytes:
    return whole_ksn[4:DEVICE_BYTES] + counter.to_bytes(4, "big")


def _counter(whole_ksn: bytes) -> int:
    return int.from_bytes(whole_ksn[DEVICE_BYTES:], "big")
