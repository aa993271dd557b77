"""The file of --keys: what it gives, and what is said of its mistakes."""

from pathlib import Path

import pytest

from pos_specs.security.errors import KeyFileError
from pos_specs.security.key_file import MOST_BYTES, KeyRing, load_key_file, parse_key_file
from pos_specs.security.keys import WorkingKeys

K8 = "A1B2C3D4E5F60718"
K16 = "A1B2C3D4E5F6071829304152637485A6"

FILE = f"""
default_tmk = "{K8}"

[[tmk]]
merchant_id = "M1"
terminal_id = "T1"
key = "{K16[:16]} {K16[16:]}"

[[tmk]]
merchant_id = "M1"
key = "{K16[::-1]}"

[[base_key]]
name = "wide"
algorithm = "tdes"
ksn_prefix = "FFFF98"
key = "{K16}"

[[base_key]]
name = "narrow"
algorithm = "tdes"
ksn_prefix = "ffff9876"
key = "{K16[::-1]}"

[[base_key]]
name = "aes"
algorithm = "aes"
ksn_prefix = "12345678"
key = "{K16 * 2}"

[[issuer_key]]
name = "scheme"
scheme = "unionpay"
bins = ["62"]
cryptogram = "{K16}"

[[issuer_key]]
name = "bank"
scheme = "unionpay"
bins = ["622202", "621226"]
cryptogram = "{K16[::-1]}"
integrity = "{K16}"
confidentiality = "{K16}"

[[fixed_keys]]
merchant_id = "M9"
terminal_id = "T9"
pin = "{K16}"
mac = "{K8}"
"""


def ring(text: str = FILE) -> KeyRing:
    return parse_key_file(text.encode("utf-8"), "keys.toml")


def test_a_terminal_has_its_own_master_key_or_its_merchants_or_the_default() -> None:
    keys = ring()

    assert bytes.fromhex(K16) == keys.tmk("M1", "T1")
    assert bytes.fromhex(K16[::-1]) == keys.tmk("M1", "T2")
    assert bytes.fromhex(K8) == keys.tmk("M2", "T1")


def test_without_a_default_a_stranger_has_no_master_key() -> None:
    assert ring("").tmk("M1", "T1") is None


@pytest.mark.parametrize(
    ("ksn", "name"),
    [
        ("FFFF9876543210E00001", "narrow"),
        ("9876543210E00001", "narrow"),
        ("FFFF9800000000E00001", "wide"),
        ("123456780000000000000001", "aes"),
        ("FFFF0000000000E00001", None),
    ],
)
def test_the_longest_prefix_of_a_ksn_wins(ksn: str, name: str | None) -> None:
    found = ring().base_key(bytes.fromhex(ksn))

    assert name == (found.name if found else None)


@pytest.mark.parametrize(
    ("pan", "name"), [("6222021234567890", "bank"), ("6212261234567890", "bank"), ("6258081234567890", "scheme")]
)
def test_the_longest_bin_of_a_pan_wins(pan: str, name: str) -> None:
    found = ring().issuer_key(pan)

    assert found is not None
    assert (name, "unionpay") == (found.name, found.scheme)


def test_a_card_of_nobody_has_no_issuer_keys() -> None:
    assert ring().issuer_key("4111111111111111") is None


def test_script_keys_may_be_left_out() -> None:
    scheme, bank = ring().issuer_key("6258081234567890"), ring().issuer_key("6222021234567890")

    assert scheme is not None
    assert bank is not None
    assert (b"", b"") == (scheme.integrity, scheme.confidentiality)
    assert bytes.fromhex(K16) == bank.integrity == bank.confidentiality


def test_a_terminal_may_have_fixed_working_keys() -> None:
    assert WorkingKeys(bytes.fromhex(K16), bytes.fromhex(K8)) == ring().fixed_keys("M9", "T9")
    assert ring().fixed_keys("M9", "T8") is None


def test_the_shipped_test_keys_serve_every_scheme_and_both_kinds_of_dukpt() -> None:
    keys = load_key_file()

    assert bytes.fromhex("0123456789ABCDEFFEDCBA9876543210") == keys.tmk("any", "terminal")
    cards = {pan: keys.issuer_key(pan) for pan in ("4111111111111111", "5555555555554444", "2221001234567890", "62220")}
    assert ["visa", "mastercard", "mastercard", "unionpay"] == [
        issuer.scheme if issuer else "" for issuer in cards.values()
    ]
    serials = ("FFFF9876543210E00001", "123456789012345600000001")
    bases = [keys.base_key(bytes.fromhex(serial)) for serial in serials]
    assert ["tdes", "aes"] == [base.algorithm if base else "" for base in bases]


MISTAKES = {
    'default_tmk = "{K16}00"': "default_tmk: has 34 hex digits, must have 16 or 32 or 48",
    'default_tmk = "{K16}"\ndefault_tmk = "{K16}"': "is not TOML at ",
    'default_tmk = "{K8}XYZ"': "default_tmk: has characters that are no hex digits",
    "default_tmk = 12345678": "default_tmk: must be a text",
    'default_tmk = "': "is not TOML at ",
    '{K16} = "x"': "(a name that looks like a key): is not a key of a key file",
    'master = "{K16}"': "master: is not a key of a key file",
    '[tmk]\nkey = "{K16}"': "tmk: must be a list of tables: [[tmk]]",
    "tmk = [1]": "tmk[1]: must be a table",
    '[[tmk]]\nkey = "{K16}"': "tmk[1].merchant_id: is missing",
    '[[tmk]]\nmerchant_id = "M1"': "tmk[1].key: is missing",
    '[[tmk]]\nmerchant_id = "M1"\nkey = "{K16}"\n[[tmk]]\nmerchant_id = "M1"\nkey = "{K8}"': (
        "tmk[2].terminal_id: this merchant and terminal stand in the file already"
    ),
    '[[base_key]]\nname = "a"\nalgorithm = "{K16}"': "base_key[1].algorithm: must be one of tdes, aes",
    '[[base_key]]\nname = "a"\nalgorithm = "tdes"\nksn_prefix = "XY"': "base_key[1].ksn_prefix: must be 1 to 20 hex",
    '[[base_key]]\nname = "a"\nalgorithm = "tdes"\nksn_prefix = "FF"\nkey = "{K8}"': (
        "base_key[1].key: has 16 hex digits, must have 32"
    ),
    '[[base_key]]\nname = "{K16}"\nalgorithm = "tdes"\nksn_prefix = "FF"\nkey = "{K16}"': (
        "base_key[1].name: looks like a key"
    ),
    '[[issuer_key]]\nname = "a"\nscheme = "amex"': "issuer_key[1].scheme: must be one of visa, mastercard, unionpay",
    '[[issuer_key]]\nname = "a"\nscheme = "visa"\ncryptogram = "{K16}"': "issuer_key[1].bins: is missing",
    '[[issuer_key]]\nname = "a"\nscheme = "visa"\nbins = []\ncryptogram = "{K16}"': (
        "issuer_key[1].bins: must be a list"
    ),
    '[[issuer_key]]\nname = "a"\nscheme = "visa"\nbins = ["4x"]\ncryptogram = "{K16}"': (
        "issuer_key[1].bins: each must be 1 to 11 digits"
    ),
    '[[issuer_key]]\nname = "a"\nscheme = "visa"\nbins = ["4", "4"]\ncryptogram = "{K16}"': (
        "issuer_key[1].bins: 4 is also one of a"
    ),
    '[[fixed_keys]]\nmerchant_id = "M"\npin = "{K16}"\nmac = "{K8}"': "fixed_keys[1].terminal_id: is missing",
    '[[fixed_keys]]\nmerchant_id = "M"\nterminal_id = "T"\npin = "{K16}"': "fixed_keys[1].mac: is missing",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_with_file_and_key_and_without_the_value(text: str) -> None:
    content = text.replace("{K16}", K16).replace("{K8}", K8)

    with pytest.raises(KeyFileError) as caught:
        ring(content)

    assert str(caught.value).startswith(f"keys.toml: {MISTAKES[text]}")
    assert K8 not in str(caught.value)


def test_a_prefix_that_stands_there_twice_is_refused() -> None:
    with pytest.raises(KeyFileError, match=r"^keys.toml: base_key\[2\].ksn_prefix: is also that of wide$"):
        ring(FILE.replace("ffff9876", "ffff98"))


def test_bytes_that_are_no_text_are_refused_with_their_place() -> None:
    with pytest.raises(KeyFileError, match=r"^keys.toml: is not UTF-8 at byte 2$"):
        parse_key_file(b"# \xff", "keys.toml")


def test_a_file_is_read_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(FILE)

    assert bytes.fromhex(K8) == load_key_file(path).default_tmk


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"nokeys\.toml: no such file$"):
        load_key_file(tmp_path / "nokeys.toml")


def test_a_file_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    with path.open("wb") as large:
        large.truncate(MOST_BYTES + 1)

    with pytest.raises(KeyFileError, match=r"is larger than 16777216 bytes$"):
        load_key_file(path)
