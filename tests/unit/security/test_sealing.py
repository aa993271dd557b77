"""Secrets sealed for a store."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_specs.security.errors import SealBroken, UnusableKey
from pos_specs.security.sealing import seal, unseal

KEY = bytes(range(32))
NONCE = bytes(range(12))
SECRET = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")

NOT_OPENED = "does not open: another key, another terminal, or changed"


@given(st.binary(max_size=200), st.text(max_size=30), st.binary(min_size=12, max_size=12))
def test_a_sealed_secret_opens_for_its_terminal(secret: bytes, identity: str, nonce: bytes) -> None:
    sealed = seal(KEY, secret, nonce, identity)

    assert secret == unseal(KEY, sealed, identity)
    assert len(secret) < 8 or secret not in sealed[13:]


@given(st.integers(1, 28 + len(SECRET)), st.integers(0, 7))
def test_a_changed_bit_breaks_the_seal(place: int, bit: int) -> None:
    sealed = bytearray(seal(KEY, SECRET, NONCE, "T0000001"))
    sealed[place] ^= 1 << bit

    with pytest.raises(SealBroken, match=NOT_OPENED):
        unseal(KEY, bytes(sealed), "T0000001")


@given(st.binary(min_size=32, max_size=32).filter(lambda key: key != KEY))
def test_a_wrong_key_is_refused(other: bytes) -> None:
    with pytest.raises(SealBroken, match=NOT_OPENED):
        unseal(other, seal(KEY, SECRET, NONCE, "T0000001"), "T0000001")


def test_another_terminals_secret_is_refused() -> None:
    with pytest.raises(SealBroken, match=NOT_OPENED):
        unseal(KEY, seal(KEY, SECRET, NONCE, "T0000001"), "T0000002")


def test_an_unknown_version_is_refused_by_number() -> None:
    sealed = seal(KEY, SECRET, NONCE, "T0000001")

    with pytest.raises(SealBroken, match="has version 9, only 1 is known"):
        unseal(KEY, b"\x09" + sealed[1:], "T0000001")


@pytest.mark.parametrize("length", [0, 1, 28])
def test_a_cut_secret_is_refused(length: int) -> None:
    with pytest.raises(SealBroken, match=rf"^{length} bytes are no sealed secret"):
        unseal(KEY, seal(KEY, SECRET, NONCE, "T0000001")[:length], "T0000001")


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(UnusableKey, match=f"has 32 bytes, not {length}"):
        seal(bytes(length), SECRET, NONCE, "T0000001")


def test_a_nonce_of_another_length_is_refused() -> None:
    with pytest.raises(SealBroken, match="a nonce has 12 bytes, not 8"):
        seal(KEY, SECRET, bytes(8), "T0000001")
