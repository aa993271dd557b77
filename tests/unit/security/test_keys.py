"""Check values, parity, and working keys as bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_specs.security.errors import KeyBlockError, KeyCheckFailed
from pos_specs.security.keys import (
    WorkingKeys,
    check_value,
    odd_parity,
    pack_working_keys,
    unpack_working_keys,
    verify_check_value,
)

KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")

LENGTHS = st.sampled_from([0, 8, 16, 24]).flatmap(lambda length: st.binary(min_size=length, max_size=length))


def test_a_check_value_is_four_bytes_by_des_for_a_single_and_3des_for_a_double_key() -> None:
    assert "D5D44FF7" == check_value(KEY[:8]).hex().upper()
    assert "08D7B4FB" == check_value(KEY).hex().upper()


def test_a_check_value_of_another_length_is_compared_as_far_as_it_goes() -> None:
    verify_check_value(KEY, bytes.fromhex("08D7"), "PIN key")
    verify_check_value(KEY, bytes.fromhex("08D7B4FB629D0885"), "PIN key")


@pytest.mark.parametrize("stated", [b"", b"\x08\xd8", b"\x08\xd7\xb4\xfa"])
def test_a_wrong_or_missing_check_value_names_the_key(stated: bytes) -> None:
    with pytest.raises(KeyCheckFailed, match=r"^track key: the check value does not match") as caught:
        verify_check_value(KEY, stated, "track key")

    assert "track key" == caught.value.key_name


@given(st.binary(max_size=24))
def test_every_byte_of_an_issued_key_has_an_odd_number_of_ones_and_its_seven_bits(key: bytes) -> None:
    issued = odd_parity(key)

    assert all(byte.bit_count() % 2 for byte in issued)
    assert [byte >> 1 for byte in key] == [byte >> 1 for byte in issued]


@given(LENGTHS, LENGTHS, LENGTHS, st.sampled_from(["des", "sm4", "aes"]))
def test_packed_working_keys_are_unpacked_again(pin: bytes, mac: bytes, track: bytes, algorithm: str) -> None:
    keys = WorkingKeys(pin, mac, track, algorithm)  # type: ignore[arg-type]

    assert keys == unpack_working_keys(pack_working_keys(keys))


@pytest.mark.parametrize("cut", range(19))
def test_cut_or_lengthened_packed_keys_are_refused(cut: int) -> None:
    packed = pack_working_keys(WorkingKeys(KEY[:8], KEY[8:]))
    assert 20 == len(packed)

    for wrong in (packed[:cut], packed + bytes(cut + 1), b"\x07" + packed[1:]):
        with pytest.raises(KeyBlockError, match="are no packed working keys"):
            unpack_working_keys(wrong)
