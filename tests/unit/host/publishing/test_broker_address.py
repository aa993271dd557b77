import pytest

from pos_host.publishing.broker_address import BrokerAddress, broker_address
from pos_host.publishing.errors import AddressNotUsable


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://broker", BrokerAddress("broker", 1883)),
        ("mqtt://127.0.0.1:1884/", BrokerAddress("127.0.0.1", 1884)),
        ("mqtts://broker.example", BrokerAddress("broker.example", 8883, tls=True)),
        ("mqtt://me@broker", BrokerAddress("broker", 1883, username="me")),
        ("mqtt://me:p%40ss@broker", BrokerAddress("broker", 1883, username="me", password="p@ss")),
        ("mqtt://[::1]:1885", BrokerAddress("::1", 1885)),
    ],
)
def test_a_url_names_host_port_and_user(url: str, address: BrokerAddress) -> None:
    assert address == broker_address(url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("broker:1883", "must begin with mqtt://"),
        ("http://broker", "must begin with mqtt://"),
        ("embeded", "must begin with mqtt://"),
        ("mqtt://", "names no host"),
        ("mqtt://:1883", "names no host"),
        ("mqtt://me:secret@broker/prefix", "must end after host and port"),
        ("mqtt://me:secret@broker?x=1", "must end after host and port"),
        ("mqtt://me:secret@broker:70000", "no readable host and port"),
        ("mqtt://me:secret@broker:x", "no readable host and port"),
        ("mqtt://me:secret@[broker", "no readable host and port"),
    ],
)
def test_any_other_url_is_refused_without_its_password(url: str, reason: str) -> None:
    with pytest.raises(AddressNotUsable, match=reason) as refused:
        broker_address(url)

    assert "secret" not in str(refused.value)


def test_an_address_shows_itself_without_user_and_password() -> None:
    address = broker_address("mqtts://me:secret@broker:1885")

    assert "mqtts://broker:1885" == str(address)
    assert "secret" not in repr(address)
    assert "mqtt://[::1]:1883" == str(broker_address("mqtt://[::1]"))
