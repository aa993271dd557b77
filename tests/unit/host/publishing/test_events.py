import json

from pos_host.publishing.events import Event, cloud_event

EVENT = Event(
    sequence=42,
    type="batch.settled",
    merchant_id="104110070110814",
    terminal_id="T0000001",
    at_ms=1_772_449_200_007,
    data={"result": "balanced"},
)


def test_an_event_is_a_cloud_event() -> None:
    assert {
        "specversion": "1.0",
        "id": "9f2c-42",
        "source": "pos-host/9f2c",
        "type": "batch.settled",
        "subject": "104110070110814/T0000001",
        "time": "2026-03-02T11:00:00.007Z",
        "datacontenttype": "application/json",
        "sequence": 42,
        "data": {"result": "balanced"},
    } == cloud_event(EVENT, "9f2c")


def test_a_cloud_event_is_json() -> None:
    assert cloud_event(EVENT, "9f2c") == json.loads(json.dumps(cloud_event(EVENT, "9f2c")))


def test_a_slash_in_an_id_is_not_taken_for_the_one_between_them() -> None:
    slashed = EVENT._replace(merchant_id="M/1", terminal_id="T 1")

    assert "M%2F1/T%201" == cloud_event(slashed, "9f2c")["subject"]
