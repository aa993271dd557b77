"""PIN blocks; their known answers stand in test_crypto_vectors."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_specs.security.ciphers import encrypt_ecb
from pos_specs.security.errors import PinBlockError, UnusableKey
from pos_specs.security.pin_block import (
    PinFormat,
    clear_pin_block,
    decrypt_pin,
    encrypt_pin,
    pin_of_clear_block,
    unionpay_pin_format,
)
from pos_specs.security.quiet_libraries import quiet_psec

KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
OTHER_KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
PAN = "6222021234567890128"
FILL = bytes.fromhex("5678901234ABCDEF")

FORMATS = get_args(PinFormat)
PINS = st.text("0123456789", min_size=4, max_size=12)
PANS = st.text("0123456789", min_size=12, max_size=19)
FILLS = st.binary(min_size=8, max_size=8)


@given(st.sampled_from(FORMATS), PINS, PANS, FILLS, st.binary(min_size=16, max_size=16))
def test_a_pin_comes_out_as_it_went_in(name: PinFormat, pin: str, pan: str, fill: bytes, key: bytes) -> None:
    block = encrypt_pin(name, key, pin, pan, fill)

    assert (16 if name == "iso-4" else 8) == len(block)
    assert pin == decrypt_pin(name, key, block, pan)


def outcome(name: PinFormat, key: bytes, block: bytes, pan: str) -> str:
    try:
        return decrypt_pin(name, key, block, pan)
    except PinBlockError:
        return "refused"


@given(st.sampled_from(FORMATS), PINS)
def test_a_wrong_key_gives_no_pin_or_another(name: PinFormat, pin: str) -> None:
    block = encrypt_pin(name, KEY, pin, PAN, FILL)

    assert pin == outcome(name, KEY, block, PAN)
    assert pin != outcome(name, OTHER_KEY, block, PAN)


@pytest.mark.parametrize("name", ["iso-0", "iso-3", "iso-4"])
def test_another_cards_number_gives_no_pin_or_another(name: PinFormat) -> None:
    block = encrypt_pin(name, KEY, "123456", PAN, FILL)

    assert "123456" != outcome(name, KEY, block, "6222021234500000128")


@given(PINS, PANS)
def test_formats_0_and_2_agree_with_psec(pin: str, pan: str) -> None:
    psec = quiet_psec()

    assert psec.pinblock.encode_pinblock_iso_2(pin) == clear_pin_block("iso-2", pin)
    if len(pan) > 12:  # psec wants one digit more
        assert psec.pinblock.encode_pinblock_iso_0(pin, pan) == clear_pin_block("iso-0", pin, pan)


@given(PINS, st.text("0123456789", min_size=13, max_size=19), FILLS)
def test_psec_reads_formats_3_and_4_as_they_are_written_here(pin: str, pan: str, fill: bytes) -> None:
    psec = quiet_psec()

    assert pin == psec.pinblock.decode_pinblock_iso_3(clear_pin_block("iso-3", pin, pan, fill), pan)
    assert pin == psec.pinblock.decipher_pinblock_iso_4(KEY, encrypt_pin("iso-4", KEY, pin, pan, fill), pan)


@pytest.mark.parametrize(
    ("element", "name"), [("2600000000000000", "iso-0"), ("1600000000000000", "no-pan"), ("0010000000000000", None)]
)
def test_element_53_names_the_format(element: str, name: str | None) -> None:
    assert name == unionpay_pin_format(element)


@pytest.mark.parametrize("element", ["", "3600000000000000"])
def test_an_element_53_that_names_none_is_refused(element: str) -> None:
    with pytest.raises(PinBlockError, match=r"^element 53 begins with none of"):
        unionpay_pin_format(element)


@pytest.mark.parametrize(
    ("name", "digits", "reason"),
    [
        ("no-pan", "16123456FFFFFFFF", "control digit"),
        ("no-pan", "03123FFFFFFFFFFF", "length"),
        ("no-pan", "0D1234567890123F", "length"),
        ("no-pan", "0612A456FFFFFFFF", "other characters"),
        ("no-pan", "06123456FFFFFF0F", "filling"),
        ("iso-2", "2412340FFFFFFFFF", "filling"),
        ("iso-1", "2412345678901234", "control digit"),
        ("iso-4", "441234AAAAAAAAA0FFFFFFFFFFFFFFFF", "filling"),
    ],
)
def test_a_block_that_breaks_its_format_is_refused_with_the_reason(name: PinFormat, digits: str, reason: str) -> None:
    with pytest.raises(PinBlockError, match=reason):
        pin_of_clear_block(name, bytes.fromhex(digits))


def test_a_lenient_reader_overlooks_the_filling_only() -> None:
    assert "123456" == pin_of_clear_block("no-pan", bytes.fromhex("0612345600000000"), strict=False)
    with pytest.raises(PinBlockError, match="control digit"):
        pin_of_clear_block("no-pan", bytes.fromhex("9612345600000000"), strict=False)


@pytest.mark.parametrize("pin", ["", "123", "1234567890123", "12a4", "１２３４"])
def test_what_is_no_pin_is_not_put_into_a_block(pin: str) -> None:
    with pytest.raises(PinBlockError, match=r"^a PIN has 4 to 12 digits$"):
        clear_pin_block("iso-0", pin, PAN)


@pytest.mark.parametrize("pan", ["", "12345678901", "12345678901234567890", "62220212345678X"])
@pytest.mark.parametrize("name", ["iso-0", "iso-3", "iso-4"])
def test_what_is_no_pan_is_not_put_into_a_block(name: PinFormat, pan: str) -> None:
    with pytest.raises(PinBlockError, match=f"^the PAN for the PIN block has {len(pan)} characters"):
        encrypt_pin(name, KEY, "1234", pan, FILL)


@pytest.mark.parametrize("name", ["iso-1", "iso-3", "iso-4"])
def test_formats_with_random_digits_want_eight_random_bytes(name: PinFormat) -> None:
    with pytest.raises(PinBlockError, match="takes 8 random bytes, not 0"):
        encrypt_pin(name, KEY, "1234", PAN)


@pytest.mark.parametrize(("name", "length"), [("iso-0", 16), ("iso-4", 8), ("no-pan", 0)])
def test_a_block_of_another_length_is_refused(name: PinFormat, length: int) -> None:
    with pytest.raises(PinBlockError, match=f"bytes, not {length}$"):
        decrypt_pin(name, KEY, bytes(length), PAN)


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    unknown: Any = "iso-5"

    with pytest.raises(PinBlockError, match=r"^the format is none of iso-0, no-pan, iso-1, iso-2, iso-3, iso-4$"):
        encrypt_pin(unknown, KEY, "1234", PAN)
    with pytest.raises(PinBlockError, match=r"^the format is none of"):
        decrypt_pin(unknown, KEY, bytes(8), PAN)


def test_format_4_wants_an_aes_key() -> None:
    with pytest.raises(UnusableKey, match="does not fit AES"):
        encrypt_pin("iso-4", KEY[:8], "1234", PAN, FILL)


def test_a_single_length_key_enciphers_by_des() -> None:
    clear = clear_pin_block("no-pan", "123456")

    assert encrypt_ecb(KEY[:8], clear) == encrypt_pin("no-pan", KEY[:8], "123456")
