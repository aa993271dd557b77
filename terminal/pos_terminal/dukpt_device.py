"""A PIN pad with DUKPT: a key of its own for every message, named by the serial number that goes along.

How long the serial number is says which DUKPT it is: ten bytes TDES (ANSI X9.24-1), twelve AES (X9.24-3), whose MAC is
a CMAC and whose PIN block has sixteen bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pos_specs.dialect import Dialect
from pos_specs.message import Message
from pos_specs.security import dukpt_aes, dukpt_tdes
from pos_specs.security.errors import KeySerialError, UnusableKey
from pos_specs.security.key_file import load_key_file
from pos_terminal.memory import Memory

if TYPE_CHECKING:
    from pos_specs.security.pin_block import PinFormat


class Session(NamedTuple):
    """The keys of one message and of its answer, and what is made with them; the repr shows the serial number alone.

    `mac` is a name of `pos_specs.security.mac.ALGORITHMS`, "" where the dialect names it.
    """

    serial: str
    pin: bytes
    mac_request: bytes
    mac_response: bytes
    pin_format: PinFormat
    mac: str

    def __repr__(self) -> str:
        return f"Session({self.serial})"


def is_aes(ksn: bytes) -> bool:
    """True for the serial number of a device with AES DUKPT."""
    return len(ksn) == dukpt_aes.KSN_BYTES


def next_session(memory: Memory, ksn: bytes, base_key: bytes) -> Session:
    """The keys of the next message; the memory counts on from `ksn`, or from the last one of the same device.

    Without a base key it is that of the shipped test keys. Raises KeySerialError and UnusableKey.
    """
    device = dukpt_aes.read_ksn(ksn) if is_aes(ksn) else dukpt_tdes.read_ksn(ksn)
    known = bytes.fromhex(memory.ksn)
    last = known if _device_of(known) == _device_of(device) else device
    serial = dukpt_aes.next_ksn(last) if is_aes(device) else dukpt_tdes.next_ksn(last)
    base_key = base_key or _test_key(serial)
    session = _aes_session(base_key, serial) if is_aes(serial) else _tdes_session(base_key, serial)
    memory.ksn = session.serial
    return session


def put_serial(dialect: Dialect, request: Message, serial: str) -> None:
    """Put the serial number where the dialect says; raises KeySerialError where it says nothing."""
    number, _, part = dialect.meaning.get("ksn", "").partition(".")
    if not number:
        raise KeySerialError(f"dialect {dialect.name} has no element for a key serial number")
    request.fields[int(number)] = serial if not part else _table(dialect, int(number), part, serial)


def _tdes_session(base_key: bytes, serial: bytes) -> Session:
    keys = dukpt_tdes.host_session_keys(base_key, serial)
    return Session(serial.hex().upper(), keys.pin, keys.mac_request, keys.mac_response, "iso-0", "")


def _aes_session(base_key: bytes, serial: bytes) -> Session:
    keys = dukpt_aes.host_session_keys(base_key, serial)
    return Session(serial.hex().upper(), keys.pin, keys.mac_generation, keys.mac_verification, "iso-4", "cmac-aes")


def _device_of(ksn: bytes) -> tuple[bool, int]:
    """What of a KSN names base key and device: all before its counter."""
    if is_aes(ksn):
        return True, int.from_bytes(ksn[: dukpt_aes.DEVICE_BYTES], "big")
    return False, int.from_bytes(ksn, "big") >> dukpt_tdes.COUNTER_BITS


def _table(dialect: Dialect, number: int, part: str, serial: str) -> str:
    """A table: two bytes of BCD length, which counts the identifier and the data (hypercom.md 2.4)."""
    for layout in dialect.layouts.get(number, ()):
        for identifier, named in layout.tags.items():
            if layout.kind == "tables" and named.name == part:
                length = bytes.fromhex(f"{len(identifier) + len(serial):04d}").decode("latin-1")
                return f"{length}{identifier}{serial}"
    raise KeySerialError(f"dialect {dialect.name}: element {number} has no table {part}")


def _test_key(ksn: bytes) -> bytes:
    wanted = "aes" if is_aes(ksn) else "tdes"
    base = load_key_file().base_key(ksn)
    if base is None or base.algorithm != wanted:
        raise UnusableKey(f"the shipped test keys have no {wanted.upper()} base key for this KSN: give --bdk")
    return base.key
