"""Tracks under the track key of a UnionPay terminal (unionpay.md 5.4, after Chanjet's appendix C).

Of the track as it stands on the wire, two digits a byte and an odd one filled with 0, the eight bytes that end one
byte before the last are enciphered with 3DES and put back in their place. The third digit of DE53 is then 1.
"""

from __future__ import annotations

from collections.abc import Callable

from pos_specs.security.ciphers import decrypt_ecb, encrypt_ecb
from pos_specs.security.errors import TrackCipherError

BLOCK_BYTES = 8
SHORTEST_DIGITS = 17
"""Below it there are no eight bytes before the last one."""


def track_is_encrypted(security_control: str) -> bool:
    """True when the third digit of DE53 says that the tracks are enciphered (unionpay.md 2, DE53)."""
    return security_control[2:3] == "1"


def encrypt_track(track_key: bytes, track: str) -> str:
    """The track, digits with `D` or `=` between them, with its block enciphered: as long, in upper-case hex digits.

    Raises TrackCipherError for a track that is too short or has other characters.
    """
    return _with_block(track, lambda block: encrypt_ecb(track_key, block))


def decrypt_track(track_key: bytes, track: str) -> str:
    """The clear track of an enciphered one, `D` as separator.

    Raises TrackCipherError as `encrypt_track` does, and when what comes out is no track: another key.
    """
    clear = _with_block(track, lambda block: decrypt_ecb(track_key, block))
    if set(clear) - set("0123456789D"):
        raise TrackCipherError("what comes out is no track: another track key")
    return clear


def _with_block(track: str, cipher: Callable[[bytes], bytes]) -> str:
    data = _bytes(track)
    start = len(data) - BLOCK_BYTES - 1
    data = data[:start] + cipher(data[start:-1]) + data[-1:]
    return data.hex().upper()[: len(track)]


def _bytes(track: str) -> bytes:
    if len(track) < SHORTEST_DIGITS:
        raise TrackCipherError(f"a track of {len(track)} characters is too short to be enciphered")
    digits = track.replace("=", "D")
    if set(digits) - set("0123456789ABCDEF"):
        raise TrackCipherError("a track has characters that are neither hex digits nor a separator")
    return bytes.fromhex(digits + "0" * (len(digits) % 2))
