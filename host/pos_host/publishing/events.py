"""An event of the host, and how the outside sees it: CloudEvents 1.0 in JSON."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import quote

from pos_host.clock import iso_utc


class Event(NamedTuple):
    """Something that happened, told in the order of `sequence`; `at_ms` is UTC milliseconds."""

    sequence: int
    type: str
    merchant_id: str
    terminal_id: str
    at_ms: int
    data: dict[str, Any]


def cloud_event(event: Event, source_id: str) -> dict[str, Any]:
    """The CloudEvents 1.0 object of `event`; its `id` stays the same however often it is sent.

    `subject` is merchant and terminal with both ids percent-encoded as in topics, so that a slash in an
    id cannot be taken for the one between them.
    """
    return {
        "specversion": "1.0",
        "id": f"{source_id}-{event.sequence}",
        "source": f"pos-host/{source_id}",
        "type": event.type,
        "subject": f"{quote(event.merchant_id, safe='')}/{quote(event.terminal_id, safe='')}",
        "time": iso_utc(event.at_ms),
        "datacontenttype": "application/json",
        "sequence": event.sequence,
        "data": event.data,
    }
