"""Network addresses as people write them."""

import pytest

from pos_specs.network_address import shown_address, split_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8583", ("127.0.0.1", 8583)),
        ("[::1]:0", ("::1", 0)),
        ("::1:65535", ("::1", 65535)),
        ("host.example.:9000", ("host.example.", 9000)),
        (f"{'a' * 63}.example:1", (f"{'a' * 63}.example", 1)),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, address: tuple[str, int]) -> None:
    assert address == split_address(text)


NO_HOSTS = ("", "\x00", "a b", "a..b", f"{'a' * 64}.example", "é.example", "\ud800")
NO_PORTS = ("", "x", "65536", "-1", "1" * 5000, "²", "٣")


@pytest.mark.parametrize(
    "text", ["", "8583", *(f"{host}:1" for host in NO_HOSTS), *(f"host:{port}" for port in NO_PORTS)]
)
def test_what_no_resolver_could_take_is_no_address(text: str) -> None:
    assert split_address(text) is None


@pytest.mark.parametrize("text", ["127.0.0.1:8583", "[::1]:0", "host.example:9000"])
def test_an_address_is_shown_as_it_is_read(text: str) -> None:
    address = split_address(text)

    assert address is not None
    assert text == shown_address(*address)
