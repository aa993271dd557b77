"""MACs by name; their known answers stand in test_crypto_vectors, those of messages in test_message_mac."""

import pytest

from pos_specs.security.ciphers import encrypt_ecb
from pos_specs.security.errors import SecurityError, UnusableKey
from pos_specs.security.mac import ALGORITHMS, make_mac, xor_of_blocks

KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
LENGTHS = {"pos-ecb": 8, "x9.19": 8, "x9.9": 8, "cmac": 8, "cmac-aes": 16, "chanjet": 8}


def test_every_mac_has_its_length() -> None:
    assert LENGTHS == {name: len(make_mac(name, KEY, b"0200")) for name in ALGORITHMS}


def test_a_single_mac_key_makes_the_retail_mac_a_plain_one() -> None:
    assert make_mac("x9.9", KEY[:8], b"0200") == make_mac("x9.19", KEY[:8], b"0200")


def test_chanjets_mac_is_the_xor_of_all_blocks_enciphered() -> None:
    data = bytes(range(20))
    folded = bytes(a ^ b ^ c for a, b, c in zip(data[:8], data[8:16], data[16:] + bytes(4), strict=True))

    assert folded == xor_of_blocks(data)
    assert encrypt_ecb(KEY, folded) == make_mac("chanjet", KEY, data)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SecurityError, match=r"^MAC 'md5' is unknown, there are pos-ecb, x9\.19"):
        make_mac("md5", KEY, b"")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("length", [0, 7, 17])
def test_a_key_of_another_length_is_refused(algorithm: str, length: int) -> None:
    with pytest.raises(UnusableKey, match=f"key of {length} bytes does not fit"):
        make_mac(algorithm, bytes(length), b"0200")
