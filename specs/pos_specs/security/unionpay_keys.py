"""DE62 of a UnionPay sign-in answer: the working keys under the terminal master key.

Each key is enciphered in ECB mode and followed by four bytes of its check value (unionpay.md 5.1):

    24 bytes   PIN key 8,  MAC key 8
    40 bytes   PIN key 16, MAC key 8 and eight zero bytes, or 16
    60 bytes   the same and the track key 16

With SM4 all keys have 16 bytes, in layouts of 40 and 60. Acquirers' own lengths are refused, since no source says what
they hold and a wrong guess would be taken for a wrong master key: 56 and 84 bytes, named by a list without
composition; 57 and 104, seen in one captured answer each whose master key is not public.
"""

from __future__ import annotations

from typing import NamedTuple

from pos_specs.security.ciphers import Algorithm, check_key, decrypt_ecb, encrypt_ecb
from pos_specs.security.errors import KeyBlockError
from pos_specs.security.keys import CHECK_VALUE_BYTES, WorkingKeys, check_value, odd_parity, verify_check_value

NO_SECOND_HALF = bytes(8)
"""What stands in the place of the second half of a MAC key that has none."""


class KeyScheme(NamedTuple):
    """The keys that a sign-in asks for: their cipher, and the bytes of each (0: not issued)."""

    algorithm: Algorithm
    pin_bytes: int
    mac_bytes: int
    track_bytes: int

    @property
    def material_bytes(self) -> int:
        """How many random bytes `cut_working_keys` takes."""
        return self.pin_bytes + self.mac_bytes + self.track_bytes


SCHEMES = {
    "001": KeyScheme("des", 8, 8, 0),
    "003": KeyScheme("des", 16, 8, 0),
    "004": KeyScheme("des", 16, 8, 16),
    "005": KeyScheme("sm4", 16, 16, 0),
    "006": KeyScheme("sm4", 16, 16, 16),
}
"""By 60.3 of the sign-in request (unionpay.md 2.1 and 5.1). 005 is our choice: 003 with SM4 keys; the one captured
answer to it has 104 bytes of unknown composition."""

_LAYOUTS = {24: (8, 8, 0), 40: (16, 16, 0), 60: (16, 16, 16)}
"""Bytes of PIN, MAC and track key in a DE62 of so many bytes."""

_KEY_LENGTHS: dict[Algorithm, tuple[tuple[int, int, int], ...]] = {
    "des": ((8, 8, 0), (16, 8, 0), (16, 16, 0), (16, 8, 16), (16, 16, 16)),
    "sm4": ((16, 16, 0), (16, 16, 16)),
}
"""Bytes of PIN, MAC and track key that a layout can carry."""


def cut_working_keys(scheme: KeyScheme, material: bytes) -> WorkingKeys:
    """New working keys out of random bytes, `scheme.material_bytes` of them, DES keys with odd parity."""
    if len(material) != scheme.material_bytes:
        raise KeyBlockError(f"{len(material)} random bytes for keys of {scheme.material_bytes}")
    material = odd_parity(material) if scheme.algorithm == "des" else material
    mac_end = scheme.pin_bytes + scheme.mac_bytes
    pin, mac, track = material[: scheme.pin_bytes], material[scheme.pin_bytes : mac_end], material[mac_end:]
    return WorkingKeys(pin, mac, track, scheme.algorithm)


def build_key_block(master_key: bytes, keys: WorkingKeys) -> bytes:
    """DE62 that hands `keys` over under the terminal master key; raises KeyBlockError when no layout has such keys.

    The layout follows from the keys: 24 bytes with a PIN key of 8, 40 with one of 16, 60 with a track key.
    """
    lengths = (len(keys.pin), len(keys.mac), len(keys.track))
    if lengths not in _KEY_LENGTHS.get(keys.algorithm, ()):
        shown = ", ".join(map(str, lengths))
        raise KeyBlockError(f"no layout holds {keys.algorithm.upper()} keys of {shown} bytes (PIN, MAC, track)")
    check_key(master_key, keys.algorithm)
    filled = NO_SECOND_HALF if lengths[:2] == (16, 8) else b""
    block = _wrapped(master_key, keys.pin, b"", keys.algorithm)
    block += _wrapped(master_key, keys.mac, filled, keys.algorithm)
    return block + (_wrapped(master_key, keys.track, b"", keys.algorithm) if keys.track else b"")


def read_key_block(master_key: bytes, data: bytes, algorithm: Algorithm = "des") -> WorkingKeys:
    """The working keys in DE62, every check value verified.

    Raises KeyBlockError for a length that is no layout, KeyCheckFailed naming the key whose check value is wrong, and
    UnusableKey when the master key does not fit the cipher.
    """
    layout = _LAYOUTS.get(len(data))
    if layout is None or (algorithm != "des" and layout[0] != 16):
        raise KeyBlockError(
            f"working keys of {len(data)} bytes are not a known layout of {algorithm.upper()} keys, "
            f"which take {_lengths_of(algorithm)} bytes"
        )
    check_key(master_key, algorithm)
    pin, mac, track = layout
    mac_start = pin + CHECK_VALUE_BYTES
    track_start = mac_start + mac + CHECK_VALUE_BYTES
    return WorkingKeys(
        _unwrapped(master_key, data[:mac_start], "PIN key", algorithm),
        _unwrapped(master_key, data[mac_start:track_start], "MAC key", algorithm),
        _unwrapped(master_key, data[track_start:], "track key", algorithm) if track else b"",
        algorithm,
    )


def _lengths_of(algorithm: Algorithm) -> str:
    *others, last = (str(size) for size, layout in _LAYOUTS.items() if algorithm == "des" or layout[0] == 16)
    return f"{', '.join(others)} or {last}"


def _wrapped(master_key: bytes, key: bytes, filled: bytes, algorithm: Algorithm) -> bytes:
    return encrypt_ecb(master_key, key, algorithm) + filled + check_value(key, algorithm)


def _unwrapped(master_key: bytes, part: bytes, key_name: str, algorithm: Algorithm) -> bytes:
    wrapped, stated = part[:-CHECK_VALUE_BYTES], part[-CHECK_VALUE_BYTES:]
    if algorithm == "des" and key_name == "MAC key" and wrapped[8:] == NO_SECOND_HALF:
        wrapped = wrapped[:8]
    key = decrypt_ecb(master_key, wrapped, algorithm)
    verify_check_value(key, stated, key_name, algorithm)
    return key
