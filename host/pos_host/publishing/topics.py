"""The names of the MQTT topics, all under one prefix."""

from __future__ import annotations

from urllib.parse import quote

from pos_host.publishing.errors import AddressNotUsable

DEFAULT_PREFIX = "pos-host/v1"

LONGEST_PREFIX = 200
"""Characters; leaves the rest of MQTT's 65,535 bytes a topic to ids, whatever they contain."""


class Topics:
    """Topic names under `prefix`; ids are percent-encoded, so `/`, `+`, `#` and controls are safe in them.

    Raises AddressNotUsable for a prefix that no publisher may use.
    """

    def __init__(self, prefix: str = DEFAULT_PREFIX) -> None:
        _check(prefix)
        self.prefix = prefix
        self.host_status = f"{prefix}/host/status"

    def batch(self, merchant_id: str, terminal_id: str) -> str:
        """Where a terminal's current batch is retained."""
        return self._of_terminal(merchant_id, terminal_id, "batch")

    def unsettled(self, merchant_id: str, terminal_id: str) -> str:
        """Where a terminal's flag is retained while it has one."""
        return self._of_terminal(merchant_id, terminal_id, "unsettled")

    def commands(self, merchant_id: str, terminal_id: str) -> str:
        """Where the host tells a terminal what to do."""
        return self._of_terminal(merchant_id, terminal_id, "commands")

    def events(self, event_type: str) -> str:
        """Where the events of one type are told, such as `transaction.approved`."""
        return f"{self.prefix}/events/{_level(event_type)}"

    def _of_terminal(self, merchant_id: str, terminal_id: str, what: str) -> str:
        return f"{self.prefix}/terminals/{_level(merchant_id)}/{_level(terminal_id)}/{what}"


def _level(text: str) -> str:
    return quote(text, safe="")


def _check(prefix: str) -> None:
    wrong = (
        "must not be empty" if not prefix
        else "must not begin with $: brokers keep these topics for themselves" if prefix.startswith("$")
        else "must not begin or end with /" if prefix.startswith("/") or prefix.endswith("/")
        else "must not contain + or #" if set(prefix) & set("+#")
        else "must be printable" if not prefix.isprintable()
        else f"must not have more than {LONGEST_PREFIX} characters" if len(prefix) > LONGEST_PREFIX
        else None
    )  # fmt: skip
    if wrong:
        raise AddressNotUsable(f"topic prefix {prefix!r}: {wrong}")
