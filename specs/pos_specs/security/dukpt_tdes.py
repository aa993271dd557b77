"""TDES DUKPT, ANSI X9.24-1:2009: a key of its own for every transaction, from a base key and a serial number.

A KSN has ten bytes: 59 bits that name base key and device, 21 bits of transaction counter. Counters with more than
ten ones are skipped, so that no key takes more than ten steps.

The device here derives each key from its initial key and keeps no register of future keys: it hands out the same
keys as a real one, without the property that yesterday's cannot be found in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pos_specs.security.ciphers import encrypt_once
from pos_specs.security.errors import KeySerialError, UnusableKey

KSN_BYTES = 10
COUNTER_BITS = 21
MOST_ONES = 10
"""Ones in a counter (X9.24-1, annex A): the steps that a key may take at most."""

_COUNTER_MASK = (1 << COUNTER_BITS) - 1
_LEFT_KEY_MASK = bytes.fromhex("C0C0C0C000000000C0C0C0C000000000")
_PIN_MASK = bytes.fromhex("00000000000000FF00000000000000FF")
_MAC_REQUEST_MASK = bytes.fromhex("000000000000FF00000000000000FF00")
_MAC_RESPONSE_MASK = bytes.fromhex("00000000FF00000000000000FF000000")
_DATA_REQUEST_MASK = bytes.fromhex("0000000000FF00000000000000FF0000")
_DATA_RESPONSE_MASK = bytes.fromhex("000000FF00000000000000FF00000000")


@dataclass(slots=True)
class TdesSessionKeys:
    """The keys of one transaction, 16 bytes each; the repr shows none of them."""

    pin: bytes = field(repr=False)
    mac_request: bytes = field(repr=False)
    mac_response: bytes = field(repr=False)
    data_request: bytes = field(repr=False)
    data_response: bytes = field(repr=False)


def read_ksn(ksn: bytes) -> bytes:
    """A KSN of ten bytes: one of eight or nine is filled with F on the left, as it is often sent (hypercom.md 2.4).

    Raises KeySerialError for other lengths and for a counter that DUKPT skips; 0 is the initial key's and allowed here.
    """
    if not 8 <= len(ksn) <= KSN_BYTES:
        raise KeySerialError(f"a KSN has {KSN_BYTES} bytes, or 8 or 9 without its first F, not {len(ksn)}")
    whole = ksn.rjust(KSN_BYTES, b"\xff")
    if _counter(whole).bit_count() > MOST_ONES:
        raise KeySerialError(f"the counter of the KSN has more than {MOST_ONES} ones: DUKPT skips it")
    return whole


def initial_key(base_key: bytes, ksn: bytes) -> bytes:
    """The key that a device is loaded with, 16 bytes; the KSN's counter does not matter. Raises UnusableKey."""
    if len(base_key) != 16:
        raise UnusableKey(f"a base key of TDES DUKPT has 16 bytes, not {len(base_key)}")
    whole = int.from_bytes(read_ksn(ksn), "big") & ~_COUNTER_MASK
    serial = whole.to_bytes(KSN_BYTES, "big")[:8]
    return encrypt_once(base_key, serial) + encrypt_once(_xor(base_key, _LEFT_KEY_MASK), serial)


def transaction_key(device_key: bytes, ksn: bytes) -> bytes:
    """The key of one transaction out of the device's initial key, 16 bytes; KeySerialError for the counter 0."""
    whole = read_ksn(ksn)
    counter = _counter(whole)
    if not counter:
        raise KeySerialError("the counter of the KSN is 0: the first transaction has 1")
    register = int.from_bytes(whole[2:], "big") & ~_COUNTER_MASK
    key = device_key
    for place in reversed(range(COUNTER_BITS)):
        if counter >> place & 1:
            register |= 1 << place
            key = _next_key(key, register.to_bytes(8, "big"))
    return key


def session_keys(key: bytes) -> TdesSessionKeys:
    """The keys of one transaction by purpose, out of its transaction key (X9.24-1 A.4.1, table A-1)."""
    return TdesSessionKeys(
        pin=_xor(key, _PIN_MASK),
        mac_request=_xor(key, _MAC_REQUEST_MASK),
        mac_response=_xor(key, _MAC_RESPONSE_MASK),
        data_request=_one_way(_xor(key, _DATA_REQUEST_MASK)),
        data_response=_one_way(_xor(key, _DATA_RESPONSE_MASK)),
    )


def host_session_keys(base_key: bytes, ksn: bytes) -> TdesSessionKeys:
    """What a host needs for a message with this KSN, from the base key."""
    return session_keys(transaction_key(initial_key(base_key, ksn), ksn))


def next_ksn(ksn: bytes) -> bytes:
    """The KSN of a device's next transaction; raises KeySerialError when its last key has been used.

    A counter that has ten ones already moves on by its lowest one: all between would have more.
    """
    whole = read_ksn(ksn)
    counter = _counter(whole)
    step = counter & -counter if counter.bit_count() == MOST_ONES else 1
    if counter + step > _COUNTER_MASK:
        raise KeySerialError("the device has used its last key and needs a new initial key")
    return (int.from_bytes(whole, "big") + step).to_bytes(KSN_BYTES, "big")


def _next_key(key: bytes, register: bytes) -> bytes:
    """The non-reversible step: each half of the register's encipherment under one half of the key and its mask."""
    halves = []
    for masked in (_xor(key, _LEFT_KEY_MASK), key):
        left, right = masked[:8], masked[8:]
        halves.append(_xor(encrypt_once(left, _xor(register, right)), right))
    return b"".join(halves)


def _one_way(variant: bytes) -> bytes:
    return encrypt_once(variant, variant)


def _counter(whole_ksn: bytes) -> int:
    return int.from_bytes(whole_ksn, "big") & _COUNTER_MASK


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
