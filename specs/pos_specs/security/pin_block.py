"""PIN blocks: ISO 9564 formats 0 to 4 and UnionPay's, clear and enciphered.

| format | block | key |
|---|---|---|
| `iso-0` | 0, length, PIN, F… XOR 0000 and twelve digits of the PAN; UnionPay's with PAN is the same | 3DES, DES |
| `no-pan` | the same without XOR: UnionPay without PAN | 3DES, DES |
| `iso-1` | 1, length, PIN, random digits | 3DES, DES |
| `iso-2` | 2, length, PIN, F… (between a chip card and its reader) | 3DES, DES |
| `iso-3` | 3, length, PIN, random A to F, XOR as in format 0 | 3DES, DES |
| `iso-4` | 16 bytes: 4, length, PIN, A…, random; enciphered, XOR the PAN, enciphered again | AES |

Random bytes are given by the caller. Errors say what was wrong and never what stood there: under a wrong key it is
noise, under the right one it is a PIN.
"""

from __future__ import annotations

from typing import Literal

from pos_specs.cards import PAN_DIGITS
from pos_specs.security.ciphers import Algorithm, decrypt_ecb, encrypt_ecb
from pos_specs.security.errors import PinBlockError

PinFormat = Literal["iso-0", "no-pan", "iso-1", "iso-2", "iso-3", "iso-4"]

PIN_DIGITS = range(4, 13)
"""A PIN has 4 to 12 digits (ISO 9564-1); UnionPay's have six (unionpay.md 5.2)."""

FILL_BYTES = 8
"""Random bytes that formats 1, 3 and 4 take at most."""

_CONTROL: dict[PinFormat, str] = {"iso-0": "0", "no-pan": "0", "iso-1": "1", "iso-2": "2", "iso-3": "3", "iso-4": "4"}


def unionpay_pin_format(security_control: str) -> PinFormat | None:
    """The format that the first digit of DE53 names (unionpay.md 2): 2 with PAN, 1 without, 0 no PIN: None.

    Raises PinBlockError for any other digit and for an empty element.
    """
    try:
        return _UNIONPAY[security_control[:1]]
    except KeyError:
        raise PinBlockError("element 53 begins with none of 0 (no PIN), 1 (without PAN), 2 (with PAN)") from None


_UNIONPAY: dict[str, PinFormat | None] = {"0": None, "1": "no-pan", "2": "iso-0"}


def encrypt_pin(pin_format: PinFormat, key: bytes, pin: str, pan: str = "", fill: bytes = b"") -> bytes:
    """The enciphered PIN block: 8 bytes, 16 in format 4.

    `pan` is needed in formats 0, 3 and 4, `fill` (8 random bytes) in formats 1, 3 and 4. Raises PinBlockError for a
    PIN or PAN that fits no block and UnusableKey for a key of another cipher.
    """
    clear = clear_pin_block(pin_format, pin, pan, fill)
    if pin_format != "iso-4":
        return encrypt_ecb(key, clear)
    return encrypt_ecb(key, _xor(encrypt_ecb(key, clear, "aes"), _pan_field_4(pan)), "aes")


def decrypt_pin(pin_format: PinFormat, key: bytes, block: bytes, pan: str = "", *, strict: bool = True) -> str:
    """The PIN in an enciphered block; raises PinBlockError when what comes out is not of this format.

    `strict` also wants the filling to be as the format has it; without it only control digit, length and PIN must be
    right, since some senders fill with anything (hypercom.md 6, fault 36).
    """
    algorithm: Algorithm = "aes" if pin_format == "iso-4" else "des"
    size = 16 if pin_format == "iso-4" else 8
    if len(block) != size:
        raise PinBlockError(f"a PIN block of format {pin_format} has {size} bytes, not {len(block)}")
    clear = decrypt_ecb(key, block, algorithm)
    if pin_format == "iso-4":
        clear = decrypt_ecb(key, _xor(clear, _pan_field_4(pan)), algorithm)
    return pin_of_clear_block(pin_format, clear, pan, strict=strict)


def clear_pin_block(pin_format: PinFormat, pin: str, pan: str = "", fill: bytes = b"") -> bytes:
    """The block before encipherment; in format 4 the PIN field alone. Raises PinBlockError."""
    if not pin.isascii() or not pin.isdigit() or len(pin) not in PIN_DIGITS:
        raise PinBlockError(f"a PIN has {PIN_DIGITS.start} to {PIN_DIGITS.stop - 1} digits")
    field = bytes.fromhex(f"{_control(pin_format)}{len(pin):X}{pin}{_filling(pin_format, len(pin), fill)}")
    return _xor(field, _pan_field_0(pan)) if pin_format in ("iso-0", "iso-3") else field


def pin_of_clear_block(pin_format: PinFormat, block: bytes, pan: str = "", *, strict: bool = True) -> str:
    """The PIN in a deciphered block (in format 4: in its PIN field); raises PinBlockError, see `decrypt_pin`."""
    if pin_format in ("iso-0", "iso-3"):
        block = _xor(block, _pan_field_0(pan))
    digits = block.hex().upper()
    if digits[0] != _control(pin_format):
        raise PinBlockError(f"the control digit is not that of format {pin_format}")
    length = int(digits[1], 16)
    if length not in PIN_DIGITS:
        raise PinBlockError("the length is not that of a PIN")
    pin, filling = digits[2 : 2 + length], digits[2 + length :]
    if not pin.isdigit():
        raise PinBlockError("the PIN has other characters than digits")
    if strict and not _filling_fits(pin_format, filling):
        raise PinBlockError(f"the filling is not that of format {pin_format}")
    return pin


def _control(pin_format: PinFormat) -> str:
    try:
        return _CONTROL[pin_format]
    except KeyError:
        raise PinBlockError(f"the format is none of {', '.join(_CONTROL)}") from None


def _filling(pin_format: PinFormat, pin_length: int, fill: bytes) -> str:
    left = 14 - pin_length
    if pin_format in ("iso-0", "no-pan", "iso-2"):
        return "F" * left
    if len(fill) != FILL_BYTES:
        raise PinBlockError(f"format {pin_format} takes {FILL_BYTES} random bytes, not {len(fill)}")
    random = fill.hex().upper()
    if pin_format == "iso-1":
        return random[:left]
    if pin_format == "iso-4":
        return "A" * left + random
    # Format 3 allows A to F only. The remainder prefers A to D a little: that matters to no simulator.
    return "".join("ABCDEF"[int(digit, 16) % 6] for digit in random[:left])


def _filling_fits(pin_format: PinFormat, filling: str) -> bool:
    if pin_format == "iso-1":
        return True
    if pin_format == "iso-4":
        return set(filling[:-16]) <= {"A"}
    return set(filling) <= (set("ABCDEF") if pin_format == "iso-3" else {"F"})


def _pan_field_0(pan: str) -> bytes:
    """Four zeros and the twelve digits left of the check digit."""
    _check_pan(pan)
    return bytes.fromhex(pan[:-1][-12:].zfill(16))


def _pan_field_4(pan: str) -> bytes:
    """The number of digits above twelve, the PAN of at least twelve, zeros."""
    _check_pan(pan)
    return bytes.fromhex(f"{len(pan) - 12}{pan}".ljust(32, "0"))


def _check_pan(pan: str) -> None:
    if not pan.isascii() or not pan.isdigit() or len(pan) not in PAN_DIGITS:
        raise PinBlockError(
            f"the PAN for the PIN block has {len(pan)} characters, {PAN_DIGITS.start} to "
            f"{PAN_DIGITS.stop - 1} digits expected"
        )


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
