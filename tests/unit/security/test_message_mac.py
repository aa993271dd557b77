"""The MAC of a message: where it stands, what it covers, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_specs.language import open_language
from pos_specs.message import Message
from pos_specs.security.errors import UnusableKey
from pos_specs.security.mac import ALGORITHMS
from pos_specs.security.message_mac import MAC_BYTES, covered_by_mac, mac_element, message_mac, sign, verify

KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
DIALECTS = ("unionpay", "hypercom", "iso87-ascii", "iso93-ascii")


def a_message(wide: bool = False) -> Message:
    more = {70: "301"} if wide else {}
    return Message("0800", {3: "920000", 11: "000001", 41: "T0000001"} | more)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_signed_message_carries_its_mac_in_its_last_element(dialect: str) -> None:
    language, message = open_language(dialect), a_message()

    data = sign(language, message, "x9.19", KEY)

    assert 64 == mac_element(language.dialect, message) == max(message.fields)
    assert data == language.encode(message)
    assert message.fields == language.decode(data).fields
    assert verify("x9.19", KEY, data[: -language.dialect.elements[64].wire_bytes], message.fields[64])


def test_a_message_with_a_second_bitmap_carries_its_mac_in_element_128() -> None:
    language, message = open_language("iso87-ascii"), a_message(wide=True)

    data = sign(language, message, "x9.19", KEY)

    assert 128 == mac_element(language.dialect, message) == max(message.fields)
    assert 64 not in message.fields
    assert message.fields == language.decode(data).fields


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_a_mac_covers_is_found_again_in_a_message_that_was_read(dialect: str) -> None:
    language = open_language(dialect)
    data = sign(language, a_message(), "x9.19", KEY)
    read = language.decode(data)
    before = dict(read.fields)

    covered = covered_by_mac(language, read)

    assert data[: len(covered)] == covered
    assert len(data) - language.dialect.elements[64].wire_bytes == len(covered)
    assert before == read.fields


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(data=st.binary(max_size=100), place=st.integers(0), bit=st.integers(0, 7))
def test_a_mac_verifies_and_any_changed_bit_refuses_it(algorithm: str, data: bytes, place: int, bit: int) -> None:
    data += b"\x02"  # a last byte that is no filling
    mac = message_mac(algorithm, KEY, data)
    changed = bytearray(data)
    changed[place % len(data)] ^= 1 << bit
    broken = bytearray(mac)
    broken[place % len(mac)] ^= 1

    assert MAC_BYTES == len(mac)
    assert verify(algorithm, KEY, data, mac.hex())
    assert not verify(algorithm, KEY, bytes(changed), mac.hex())
    assert not verify(algorithm, KEY, data, broken.hex())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_wrong_key_is_refused(algorithm: str) -> None:
    mac = message_mac(algorithm, KEY, b"0200 and more")

    assert not verify(algorithm, KEY[::-1], b"0200 and more", mac.hex())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("wrong", ["", "00" * 7, "FF" * 8, "00" * 32, "no hex at all", "ÄÖÜ", "ABC"])
def test_a_mac_that_is_none_is_refused(algorithm: str, wrong: str) -> None:
    assert not verify(algorithm, KEY, b"0200", wrong)


def test_a_key_that_does_not_fit_is_told_and_no_mac_is_right_under_it() -> None:
    with pytest.raises(UnusableKey, match=r"a MAC key of 5 bytes does not fit x9\.19"):
        verify("x9.19", bytes(5), b"0200", "00" * 8)
