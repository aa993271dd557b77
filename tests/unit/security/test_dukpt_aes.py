"""AES DUKPT's serial numbers and lengths; its known keys stand in test_crypto_vectors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_specs.security.ciphers import encrypt_ecb
from pos_specs.security.dukpt_aes import (
    host_session_keys,
    initial_key,
    next_ksn,
    read_ksn,
    session_keys,
    transaction_key,
)
from pos_specs.security.errors import KeySerialError, UnusableKey

DEVICE = bytes.fromhex("1234567890123456")
BASE_KEY = bytes.fromhex("FEDCBA9876543210F1F1F1F1F1F1F1F1")


def ksn(counter: int) -> bytes:
    return DEVICE + counter.to_bytes(4, "big")


@pytest.mark.parametrize("key_bytes", [16, 24, 32])
def test_device_and_host_find_the_same_keys_of_every_length(key_bytes: int) -> None:
    base_key = (BASE_KEY * 2)[:key_bytes]
    device_key, serial = initial_key(base_key, ksn(0)), ksn(0)

    for _ in range(20):
        serial = next_ksn(serial)
        keys = session_keys(transaction_key(device_key, serial), serial)
        assert keys == host_session_keys(base_key, serial)
        assert {key_bytes} == {len(keys.pin), len(keys.mac_generation), len(keys.data_decryption)}


def test_a_192_bit_key_is_neither_a_cut_256_bit_key_nor_a_lengthened_128_bit_one() -> None:
    base_key = BASE_KEY * 2
    keys = {length: host_session_keys(base_key, ksn(1), length).pin for length in (16, 24, 32)}

    assert [16, 24, 32] == [len(key) for key in keys.values()]
    assert 3 == len({key[:16] for key in keys.values()})


def test_a_192_bit_initial_key_is_two_derivation_blocks_cut_to_length() -> None:
    """X9.24-3 6.3.2 written out by hand: version, block, purpose 8001, AES-192, 192 bits, device."""
    base_key = (BASE_KEY * 2)[:24]
    blocks = [bytes.fromhex(f"010{number}8001000300C0") + DEVICE for number in (1, 2)]

    assert encrypt_ecb(base_key, b"".join(blocks), "aes")[:24] == initial_key(base_key, ksn(1))


def test_no_two_of_a_transactions_keys_are_equal() -> None:
    keys = host_session_keys(BASE_KEY, ksn(1))

    assert 5 == len({keys.pin, keys.mac_generation, keys.mac_verification, keys.data_encryption, keys.data_decryption})


@given(st.integers(0, 0xFFFE8000))
def test_the_next_counter_is_larger_and_has_at_most_sixteen_ones(start: int) -> None:
    while start.bit_count() > 16:
        start += start & -start
    following = int.from_bytes(next_ksn(ksn(start))[8:], "big")

    assert start < following
    assert following.bit_count() <= 16
    # What lies between has more ones: enough to look at when it is near.
    assert all(skipped.bit_count() > 16 for skipped in range(start + 1, min(following, start + 200)))


def test_after_the_last_counter_a_device_needs_a_new_key() -> None:
    assert ksn(0xFFFF0000) == next_ksn(ksn(0xFFFE8000))
    with pytest.raises(KeySerialError, match="used its last key"):
        next_ksn(ksn(0xFFFF0000))


def test_a_counter_that_is_skipped_is_refused() -> None:
    with pytest.raises(KeySerialError, match="more than 16 ones"):
        read_ksn(ksn(0x1FFFF))


def test_the_counter_0_is_no_transactions() -> None:
    with pytest.raises(KeySerialError, match="counter of the KSN is 0"):
        host_session_keys(BASE_KEY, ksn(0))


@pytest.mark.parametrize("length", [0, 10, 13])
def test_a_ksn_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(KeySerialError, match=rf"not {length}$"):
        host_session_keys(BASE_KEY, bytes(length))


@pytest.mark.parametrize("key_bytes", [8, 24])
def test_no_longer_and_no_odd_key_is_derived(key_bytes: int) -> None:
    with pytest.raises(UnusableKey, match=f"no AES key of {key_bytes} bytes can be derived from one of 16"):
        host_session_keys(BASE_KEY, ksn(1), key_bytes)


def test_a_base_key_of_another_length_is_refused() -> None:
    with pytest.raises(UnusableKey, match="8 bytes does not fit AES"):
        initial_key(BASE_KEY[:8], ksn(1))
