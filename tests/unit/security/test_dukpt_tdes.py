"""TDES DUKPT's serial numbers; its known keys stand in test_crypto_vectors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_specs.security.dukpt_tdes import (
    host_session_keys,
    initial_key,
    next_ksn,
    read_ksn,
    session_keys,
    transaction_key,
)
from pos_specs.security.errors import KeySerialError, UnusableKey

BASE_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
DEVICE = 0xFFFF9876543210E00000


def ksn(counter: int) -> bytes:
    return (DEVICE + counter).to_bytes(10, "big")


def test_device_and_host_find_the_same_keys_over_many_transactions() -> None:
    device_key, serial = initial_key(BASE_KEY, ksn(0)), ksn(0)

    for _ in range(40):
        serial = next_ksn(serial)
        assert session_keys(transaction_key(device_key, serial)) == host_session_keys(BASE_KEY, serial)


def test_no_two_of_a_transactions_keys_are_equal() -> None:
    keys = host_session_keys(BASE_KEY, ksn(1))

    assert 5 == len({keys.pin, keys.mac_request, keys.mac_response, keys.data_request, keys.data_response})


@pytest.mark.parametrize(
    ("counter", "following"),
    [(0, 1), (1, 2), (0x3FE, 0x3FF), (0x3FF, 0x400), (0x7FE, 0x800), (0xFFC00, 0x100000), (0x1FF400, 0x1FF800)],
)
def test_counters_with_more_than_ten_ones_are_skipped(counter: int, following: int) -> None:
    assert ksn(following) == next_ksn(ksn(counter))


@pytest.mark.parametrize("counter", [0x7FF, 0xFFC01, 0x1FFFFF])
def test_a_counter_that_is_skipped_is_refused(counter: int) -> None:
    with pytest.raises(KeySerialError, match="more than 10 ones"):
        read_ksn(ksn(counter))


@given(st.integers(0, 0x1FF400))
def test_the_next_counter_is_the_next_one_with_at_most_ten_ones(start: int) -> None:
    while start.bit_count() > 10:
        start += 1
    following = start + 1
    while following.bit_count() > 10:
        following += 1

    assert ksn(following) == next_ksn(ksn(start))


def test_after_the_last_counter_a_device_needs_a_new_key() -> None:
    with pytest.raises(KeySerialError, match="used its last key"):
        next_ksn(ksn(0x1FF800))


def test_the_counter_0_is_no_transactions() -> None:
    with pytest.raises(KeySerialError, match="counter of the KSN is 0"):
        host_session_keys(BASE_KEY, ksn(0))


def test_a_ksn_without_its_first_f_bytes_is_filled_up() -> None:
    assert host_session_keys(BASE_KEY, ksn(1)) == host_session_keys(BASE_KEY, ksn(1)[2:])


@pytest.mark.parametrize("length", [0, 7, 11, 12])
def test_a_ksn_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(KeySerialError, match=rf"not {length}$"):
        host_session_keys(BASE_KEY, bytes(length))


@pytest.mark.parametrize("length", [0, 8, 24])
def test_a_base_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(UnusableKey, match=rf"has 16 bytes, not {length}$"):
        initial_key(bytes(length), ksn(1))
