"""A PIN pad with DUKPT: a key of its own for every message, named by the serial number that goes along.

TDES only (ANSI X9.24-1): the serial number of AES is longer than the elements that carry one, and its PIN block longer
than DE52 (hypercom.md 2.4).
"""

from __future__ import annotations

from typing import NamedTuple

from pos_specs.dialect import Dialect
from pos_specs.message import Message
from pos_specs.security.dukpt_tdes import COUNTER_BITS, host_session_keys, next_ksn, read_ksn
from pos_specs.security.errors import KeySerialError, UnusableKey
from pos_specs.security.key_file import load_key_file
from pos_terminal.memory import Memory


class Session(NamedTuple):
    """The keys of one message and of its answer; the repr shows the serial number alone."""

    serial: str
    pin: bytes
    mac_request: bytes
    mac_response: bytes

    def __repr__(self) -> str:
        return f"Session({self.serial})"


def next_session(memory: Memory, ksn: bytes, base_key: bytes) -> Session:
    """The keys of the next message; the memory counts on from `ksn`, or from the last one of the same device.

    Without a base key it is that of the shipped test keys. Raises KeySerialError and UnusableKey.
    """
    device = read_ksn(ksn)
    known = bytes.fromhex(memory.ksn)
    last = known if _device_of(known) == _device_of(device) else device
    serial = next_ksn(last)
    keys = host_session_keys(base_key or _test_key(serial), serial)
    memory.ksn = serial.hex().upper()
    return Session(memory.ksn, keys.pin, keys.mac_request, keys.mac_response)


def put_serial(dialect: Dialect, request: Message, serial: str) -> None:
    """Put the serial number where the dialect says; raises KeySerialError where it says nothing."""
    number, _, part = dialect.meaning.get("ksn", "").partition(".")
    if not number:
        raise KeySerialError(f"dialect {dialect.name} has no element for a key serial number")
    request.fields[int(number)] = serial if not part else _table(dialect, int(number), part, serial)


def _device_of(ksn: bytes) -> int:
    """What of a KSN names base key and device: all before its counter."""
    return int.from_bytes(ksn, "big") >> COUNTER_BITS


def _table(dialect: Dialect, number: int, part: str, serial: str) -> str:
    """A table: two bytes of BCD length, which counts the identifier and the data (hypercom.md 2.4)."""
    for layout in dialect.layouts.get(number, ()):
        for identifier, named in layout.tags.items():
            if layout.kind == "tables" and named.name == part:
                length = bytes.fromhex(f"{len(identifier) + len(serial):04d}").decode("latin-1")
                return f"{length}{identifier}{serial}"
    raise KeySerialError(f"dialect {dialect.name}: element {number} has no table {part}")


def _test_key(ksn: bytes) -> bytes:
    base = load_key_file().base_key(ksn)
    if base is None or base.algorithm != "tdes":
        raise UnusableKey("the shipped test keys have no TDES base key for this KSN: give --bdk")
    return base.key
