"""Keys and applications that a chip terminal downloads."""

from __future__ import annotations

from hashlib import sha1
from pathlib import Path

import pytest

from pos_specs.chip_parameters import read_chip_parameters, shipped_chip_parameters
from pos_specs.errors import DialectError
from pos_specs.tlv import parse_tlv

VISA_95_CHECKSUM = "EE1511CEC71020A9B90443B37B1D5F6E703030F6"
"""As public terminal kits have it."""

KEY = f"""
[[ca_key]]
rid = "A000000333"
index = "01"
expiry = "20491231"
exponent = "03"
modulus = "{"AB" * 64}"
checksum = "{sha1(bytes.fromhex("A00000033301" + "AB" * 64 + "03"), usedforsecurity=False).hexdigest().upper()}"
"""


def read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "chip.toml"
    path.write_text(text, "utf-8")
    read_chip_parameters(path)


def test_a_key_is_downloaded_in_the_order_of_the_protocol() -> None:
    key = shipped_chip_parameters().ca_key("A000000003", "95")

    assert key is not None
    objects = parse_tlv(key.download())
    assert ["9F06", "9F22", "DF05", "DF06", "DF07", "DF02", "DF04", "DF03"] == [tag for tag, _ in objects]
    values = dict(objects)
    assert ("A000000003", "95", "01", "01", "03") == tuple(
        values[tag] for tag in ("9F06", "9F22", "DF06", "DF07", "DF04")
    )
    assert b"20491231" == bytes.fromhex(values["DF05"])
    assert (144, VISA_95_CHECKSUM) == (len(values["DF02"]) // 2, values["DF03"])


def test_a_list_names_a_key_by_rid_index_and_expiry() -> None:
    key = shipped_chip_parameters().ca_key("A000000333", "08")

    assert key is not None
    assert "9F0605A0000003339F220108DF0508" + b"20491231".hex().upper() == key.entry().hex().upper()


def test_an_application_is_downloaded_in_the_order_of_the_protocol() -> None:
    application = shipped_chip_parameters().application("A000000333010101")

    assert application is not None
    objects = parse_tlv(application.download())
    order = "9F06 DF01 9F08 DF11 DF12 DF13 9F1B DF15 DF16 DF17 DF14 DF18 9F7B DF19 DF20 DF21"
    assert order.split() == [tag for tag, _ in objects]
    values = dict(objects)
    assert ("00000000", "99", "000000100000") == (values["9F1B"], values["DF16"], values["9F7B"])


def test_what_is_not_there_is_not_found() -> None:
    assert shipped_chip_parameters().ca_key("A000000333", "FF") is None
    assert shipped_chip_parameters().application("A0000003330199") is None


def test_a_key_that_does_not_fit_its_checksum_is_refused(tmp_path: Path) -> None:
    read(tmp_path, KEY)
    with pytest.raises(DialectError, match=r"chip.toml:8: ca_key\[1\].checksum: is not the SHA-1"):
        read(tmp_path, KEY.replace("ABAB", "ABAC", 1))


def test_hex_of_another_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DialectError, match=r"ca_key\[1\].rid: must be 5 bytes in upper-case hex"):
        read(tmp_path, KEY.replace("A000000333", "A0000003"))


def test_an_unknown_key_of_an_application_is_refused(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[3] / "specs/pos_specs/data/chip_parameters.toml"
    with pytest.raises(DialectError, match=r"application\[11\].colour: is not a key of an application"):
        read(tmp_path, shipped.read_text("utf-8") + 'colour = "red"\n')
