"""Working keys in the answer to a UnionPay sign-in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_specs.security.errors import KeyBlockError, KeyCheckFailed, UnusableKey
from pos_specs.security.keys import WorkingKeys
from pos_specs.security.unionpay_keys import SCHEMES, build_key_block, cut_working_keys, read_key_block

TMK = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
OTHER_TMK = bytes.fromhex("FEDCBA98765432100123456789ABCDEF")
MATERIAL = bytes(range(1, 49))

LENGTHS = {"001": 24, "003": 40, "004": 60, "005": 40, "006": 60}
PLACES = {"PIN key": 0, "MAC key": 20, "track key": 40}


def keys_of(scheme: str) -> WorkingKeys:
    return cut_working_keys(SCHEMES[scheme], MATERIAL[: SCHEMES[scheme].material_bytes])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_keys_of_every_scheme_arrive_as_they_were_issued(scheme: str) -> None:
    keys = keys_of(scheme)

    block = build_key_block(TMK, keys)

    assert LENGTHS[scheme] == len(block)
    assert keys == read_key_block(TMK, block, keys.algorithm)


@given(st.sampled_from(sorted(SCHEMES)), st.binary(min_size=48, max_size=48), st.binary(min_size=16, max_size=16))
def test_whatever_keys_are_drawn_they_arrive(scheme: str, material: bytes, master_key: bytes) -> None:
    keys = cut_working_keys(SCHEMES[scheme], material[: SCHEMES[scheme].material_bytes])

    assert keys == read_key_block(master_key, build_key_block(master_key, keys), keys.algorithm)


def test_a_single_mac_key_beside_a_double_pin_key_is_filled_with_zeros() -> None:
    block = build_key_block(TMK, keys_of("003"))

    assert bytes(8) == block[28:36]


def test_a_mac_key_of_sixteen_bytes_takes_their_place() -> None:
    keys = WorkingKeys(MATERIAL[:16], MATERIAL[16:32])

    block = build_key_block(TMK, keys)

    assert 40 == len(block)
    assert keys == read_key_block(TMK, block)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_wrong_master_key_is_refused(scheme: str) -> None:
    keys = keys_of(scheme)
    block = build_key_block(TMK, keys)

    with pytest.raises(KeyCheckFailed, match=r"^PIN key: "):
        read_key_block(OTHER_TMK, block, keys.algorithm)


@pytest.mark.parametrize("key_name", PLACES)
def test_damage_is_refused_with_the_name_of_the_key(key_name: str) -> None:
    block = bytearray(build_key_block(TMK, keys_of("004")))
    block[PLACES[key_name]] ^= 1

    with pytest.raises(KeyCheckFailed) as caught:
        read_key_block(TMK, bytes(block))

    assert key_name == caught.value.key_name


@pytest.mark.parametrize("length", [0, 23, 39, 41, 56, 57, 84, 104])
def test_a_length_that_is_no_layout_is_refused(length: int) -> None:
    with pytest.raises(KeyBlockError, match=f"^working keys of {length} bytes are not a known layout") as caught:
        read_key_block(TMK, bytes(length))
    assert str(caught.value).endswith("of DES keys, which take 24, 40 or 60 bytes")


def test_single_length_keys_are_no_layout_of_sm4() -> None:
    with pytest.raises(KeyBlockError, match=r"not a known layout of SM4 keys, which take 40 or 60 bytes$"):
        read_key_block(TMK, bytes(24), "sm4")


@pytest.mark.parametrize(
    "keys",
    [
        WorkingKeys(MATERIAL[:8], MATERIAL[:16]),
        WorkingKeys(MATERIAL[:8], MATERIAL[:8], MATERIAL[:16]),
        WorkingKeys(MATERIAL[:16], MATERIAL[:8], algorithm="sm4"),
        WorkingKeys(MATERIAL[:16], MATERIAL[:16], algorithm="aes"),
    ],
)
def test_keys_that_no_layout_holds_are_not_built(keys: WorkingKeys) -> None:
    with pytest.raises(KeyBlockError, match=r"^no layout holds \w+ keys of \d+, \d+, \d+ bytes"):
        build_key_block(TMK, keys)


def test_a_master_key_of_eight_bytes_does_not_serve_sm4() -> None:
    with pytest.raises(UnusableKey, match="8 bytes does not fit SM4"):
        build_key_block(TMK[:8], keys_of("006"))


def test_too_few_random_bytes_make_no_keys() -> None:
    with pytest.raises(KeyBlockError, match=r"^23 random bytes for keys of 24$"):
        cut_working_keys(SCHEMES["003"], bytes(23))
