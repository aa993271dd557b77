"""The block ciphers: known answers, and what they refuse."""

import pytest

from pos_specs.security import ciphers
from pos_specs.security.errors import SecurityError, UnusableKey

KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")


def test_sm4_gives_the_answer_of_its_standard() -> None:
    """GB/T 32907-2016 annex A, example 1."""
    enciphered = ciphers.encrypt_ecb(KEY, KEY, "sm4")

    assert "681EDF34D206965E86B3E94F536E4246" == enciphered.hex().upper()
    assert KEY == ciphers.decrypt_ecb(KEY, enciphered, "sm4")


def test_aes_gives_the_answer_of_its_standard() -> None:
    """FIPS 197 appendix C.1."""
    key, clear = bytes(range(16)), bytes.fromhex("00112233445566778899AABBCCDDEEFF")

    assert "69C4E0D86A7B0430D8CDB78070B4C55A" == ciphers.encrypt_ecb(key, clear, "aes").hex().upper()


def test_a_double_key_with_equal_halves_is_a_single_one() -> None:
    assert ciphers.encrypt_ecb(KEY[:8], KEY) == ciphers.encrypt_ecb(KEY[:8] * 2, KEY)
    assert ciphers.encrypt_ecb(KEY, KEY) == ciphers.encrypt_ecb(KEY + KEY[:8], KEY)


@pytest.mark.parametrize(("algorithm", "wrong"), [("des", 15), ("des", 0), ("aes", 8), ("sm4", 24)])
def test_a_key_of_another_length_is_refused(algorithm: ciphers.Algorithm, wrong: int) -> None:
    with pytest.raises(UnusableKey, match=f"^a key of {wrong} bytes does not fit {algorithm.upper()}"):
        ciphers.encrypt_ecb(bytes(wrong), bytes(16), algorithm)


def test_a_part_of_a_block_is_refused_and_does_not_slip_into_the_next_message() -> None:
    expected = ciphers.encrypt_ecb(KEY, bytes(8))

    for unwhole in (b"", b"\xff" * 5, b"\xff" * 11):
        with pytest.raises(SecurityError, match="no whole blocks of DES"):
            ciphers.encrypt_ecb(KEY, unwhole)

    assert expected == ciphers.encrypt_ecb(KEY, bytes(8))


def test_a_cipher_that_this_openssl_lacks_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.ciphers import Cipher

    def refuse(_: object) -> None:
        raise UnsupportedAlgorithm("not here")

    monkeypatch.setattr(Cipher, "encryptor", refuse)
    with pytest.raises(UnusableKey, match=r"^the OpenSSL of this machine has no SM4$"):
        ciphers.encrypt_ecb(bytes(range(16)), bytes(16), "sm4")


def test_no_more_encryptors_are_kept_than_written_down() -> None:
    for number in range(ciphers.KEPT_CIPHERS + 10):
        ciphers.encrypt_ecb(number.to_bytes(8, "big"), bytes(8))

    assert ciphers.KEPT_CIPHERS == ciphers._encryptor.cache_info().currsize


def test_a_key_of_the_moment_is_not_kept() -> None:
    before = ciphers._encryptor.cache_info()

    assert ciphers.encrypt_ecb(KEY, bytes(8)) == ciphers.encrypt_once(KEY, bytes(8))
    ciphers.encrypt_once(b"\xa5" * 8, bytes(8))

    assert ciphers._encryptor.cache_info().misses - before.misses <= 1
