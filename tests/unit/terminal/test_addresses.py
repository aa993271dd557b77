"""Where a host listens."""

from pathlib import Path

import pytest

from pos_terminal.addresses import Address, AddressError, default_address, parse_address, read_ready_file


def test_addresses_are_host_and_port() -> None:
    assert Address("127.0.0.1", 8583) == parse_address("127.0.0.1:8583")
    assert "[::1]:8583" == str(parse_address("[::1]:8583"))


@pytest.mark.parametrize("text", ["", "8583", "host:", ":8583", "host:0", "host:65536", "host:x"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        parse_address(text)


def test_only_shipped_dialects_have_a_default_port() -> None:
    assert 8584 == default_address("hypercom").port
    with pytest.raises(AddressError, match="give --host"):
        default_address("mybank")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"listeners":[{}]}', '{"listeners":3}'])
def test_a_ready_file_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)

    with pytest.raises(AddressError, match="ready file"):
        read_ready_file(path)


def test_a_ready_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(AddressError, match="No such file"):
        read_ready_file(tmp_path / "r.json")
