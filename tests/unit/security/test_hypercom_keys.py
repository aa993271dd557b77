"""Working keys and lines in the answer to a Hypercom logon."""

import pytest

from pos_specs.security.errors import KeyBlockError
from pos_specs.security.hypercom_keys import build_logon, read_logon
from pos_specs.security.keys import WorkingKeys

TMK = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
KEYS = WorkingKeys(bytes(range(8)), bytes(range(8, 16)))
LINES = ("CORNER SHOP", "1 HIGH STREET", "LONDON")


def test_keys_and_lines_arrive_as_they_were_sent() -> None:
    data = build_logon(TMK, KEYS, LINES)

    assert (87, bytes.fromhex("0085")) == (len(data), data[:2])
    assert (KEYS, LINES) == read_logon(TMK, data)


def test_a_reader_takes_the_content_without_its_length_too() -> None:
    assert (KEYS, LINES) == read_logon(TMK, build_logon(TMK, KEYS, LINES)[2:])


def test_long_and_foreign_lines_are_cut_and_missing_ones_are_blank() -> None:
    data = build_logon(TMK, KEYS, ("A" * 30, "商户"))

    assert ("A" * 23, "??", "") == read_logon(TMK, data).lines


def test_the_keys_are_not_sent_in_clear() -> None:
    data = build_logon(TMK, KEYS, LINES)

    assert KEYS.pin not in data
    assert KEYS.mac not in data
    assert KEYS != read_logon(TMK[::-1], data).keys


@pytest.mark.parametrize("length", [0, 16, 84, 86, 88])
def test_another_length_is_refused(length: int) -> None:
    with pytest.raises(KeyBlockError, match=f"^a Hypercom logon of {length} bytes, 85 expected"):
        read_logon(TMK, bytes(length))


def test_a_length_that_does_not_fit_is_refused() -> None:
    with pytest.raises(KeyBlockError, match="of 87 bytes, 85 expected"):
        read_logon(TMK, b"\x00\x84" + bytes(85))


def test_double_length_keys_are_not_sent() -> None:
    with pytest.raises(KeyBlockError, match="of 8 bytes each"):
        build_logon(TMK, WorkingKeys(bytes(16), bytes(8)))
