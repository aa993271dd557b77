"""DE62 of a Hypercom logon answer: two single-length keys under the terminal master key, and the merchant's lines.

    2 bytes    BCD, the number of bytes that follow
    8 bytes    PIN key, enciphered under the terminal master key in ECB mode
    8 bytes    MAC key, likewise
    69 bytes   three lines of 23 characters

The fields are hypercom.md 2.4's. That the length is BCD and does not count itself is our choice, after the table
lengths of DE63; readers that take it for the element's own counter see 85 bytes, which `read_logon` accepts too.
There are no check values: a wrong master key shows at the first MAC.
"""

from __future__ import annotations

from typing import NamedTuple

from pos_specs.security.ciphers import check_key, decrypt_ecb, encrypt_ecb
from pos_specs.security.errors import KeyBlockError
from pos_specs.security.keys import WorkingKeys

KEY_BYTES = 8
LINES = 3
LINE_BYTES = 23
CONTENT_BYTES = 2 * KEY_BYTES + LINES * LINE_BYTES


class Logon(NamedTuple):
    """What a logon answer hands over: the keys, and the merchant's lines without their filling."""

    keys: WorkingKeys
    lines: tuple[str, ...]


def build_logon(master_key: bytes, keys: WorkingKeys, lines: tuple[str, ...] = ()) -> bytes:
    """DE62 with the keys and up to three lines, cut to 23 characters, what ASCII has not as `?`.

    Raises KeyBlockError unless both keys have 8 bytes.
    """
    check_key(master_key, "des")
    if (len(keys.pin), len(keys.mac), keys.algorithm) != (KEY_BYTES, KEY_BYTES, "des"):
        raise KeyBlockError("a Hypercom logon holds a PIN and a MAC key of 8 bytes each")
    texts = [*lines, *[""] * LINES][:LINES]
    content = encrypt_ecb(master_key, keys.pin) + encrypt_ecb(master_key, keys.mac)
    content += b"".join(text.encode("ascii", "replace")[:LINE_BYTES].ljust(LINE_BYTES) for text in texts)
    return bytes.fromhex(f"{CONTENT_BYTES:04}") + content


def read_logon(master_key: bytes, data: bytes) -> Logon:
    """The keys and lines of a logon answer, with or without the two bytes of length; raises KeyBlockError."""
    check_key(master_key, "des")
    if len(data) == CONTENT_BYTES + 2 and data[:2] == bytes.fromhex(f"{CONTENT_BYTES:04}"):
        data = data[2:]
    if len(data) != CONTENT_BYTES:
        raise KeyBlockError(f"a Hypercom logon of {len(data)} bytes, {CONTENT_BYTES} expected behind its length")
    pin, mac, texts = data[:KEY_BYTES], data[KEY_BYTES : 2 * KEY_BYTES], data[2 * KEY_BYTES :]
    lines = [texts[start : start + LINE_BYTES] for start in range(0, len(texts), LINE_BYTES)]
    return Logon(
        WorkingKeys(decrypt_ecb(master_key, pin), decrypt_ecb(master_key, mac)),
        tuple(line.decode("ascii", "replace").rstrip() for line in lines),
    )
