"""Dated versions of what was agreed at a scope (acquirer, merchant, terminal): which one holds when. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import body_of, record
from pos_host.merchants.lives import Life

AGREEMENT = Life(
    "agreement",
    "planned",
    {
        "planned": {"take_effect": "in_force", "withdraw": "withdrawn"},
        "in_force": {"replace": "replaced"},
        "replaced": {},
        "withdrawn": {},
    },
)
"""The life of one version of a policy or a fee schedule."""


class Scope(NamedTuple):
    """Whom something holds for: the acquirer (both ""), a merchant and its terminals, or one terminal."""

    merchant_id: str = ""
    terminal_id: str = ""

    @property
    def level(self) -> str:
        """acquirer, merchant or terminal."""
        return "terminal" if self.terminal_id else "merchant" if self.merchant_id else "acquirer"

    def __str__(self) -> str:
        if self.terminal_id:
            return f"terminal {self.terminal_id} of merchant {self.merchant_id}"
        return f"merchant {self.merchant_id}" if self.merchant_id else "the acquirer"

    def chain(self) -> tuple[Scope, ...]:
        """The scopes that it inherits from, the widest first, and itself."""
        scopes = (Scope(), Scope(self.merchant_id), self)
        return scopes[: ("acquirer", "merchant", "terminal").index(self.level) + 1]

    def covers(self, other: Scope) -> bool:
        """Whether `other` inherits from it, or is it."""
        return self in other.chain()


class Version(NamedTuple):
    """What was agreed: `values` hold from `valid_from` on, a text that sorts by time (an instant or a day), until a
    later version of the scope holds. `number` counts all versions of the kind; `restores` is the one it brings back."""

    number: int
    scope: Scope
    state: str
    valid_from: str
    values: dict[str, Any]
    by: str = ""
    why: str = ""
    restores: int = 0


class Versions:
    """All versions of one kind of agreement, withdrawn ones among them."""

    def __init__(self, versions: Iterable[Version] = ()) -> None:
        self._of_scope: dict[Scope, dict[int, Version]] = {}
        for version in versions:
            self.take(version)

    def take(self, version: Version) -> None:
        """Keep a version, in place of what was known of it."""
        self._of_scope.setdefault(version.scope, {})[version.number] = version

    def scopes(self) -> list[Scope]:
        """Those that something was ever agreed for."""
        return list(self._of_scope)

    def of(self, scope: Scope) -> list[Version]:
        """Those of a scope itself, in the order they were agreed."""
        return list(self._of_scope.get(scope, {}).values())

    def at(self, scope: Scope, moment: str) -> Version | None:
        """The scope's own version that holds at `moment`: the one that began last, of two at once the later agreed."""
        begun = [version for version in self._standing(scope) if version.valid_from <= moment]
        return max(begun, key=lambda version: (version.valid_from, version.number), default=None)

    def chain_at(self, scope: Scope, moment: str) -> list[Version]:
        """What holds for `scope` at `moment`, the widest first; each changes what those before it say."""
        found = (self.at(above, moment) for above in scope.chain())
        return [version for version in found if version is not None]

    def turns_after(self, scope: Scope, moment: str) -> list[str]:
        """The moments after `moment` at which something changes for `scope`, in order."""
        begins = {version.valid_from for above in scope.chain() for version in self._standing(above)}
        return sorted(begin for begin in begins if begin > moment)

    def _standing(self, scope: Scope) -> list[Version]:
        return [version for version in self.of(scope) if version.state != "withdrawn"]


def version_row(kind: str, version: Version, now_ms: int, due_at_ms: int = 0) -> RecordRow:
    """The record that keeps a version."""
    body = {
        "terminal_id": version.scope.terminal_id,
        "valid_from": version.valid_from,
        "values": version.values,
        "by": version.by,
        "why": version.why,
        "restores": version.restores,
    }
    return record(kind, str(version.number), version.scope.merchant_id, version.state, now_ms, body, due_at_ms)


def version_of(row: RecordRow) -> Version:
    """The version that a record keeps."""
    body = body_of(row)
    scope = Scope(row.merchant_id, body["terminal_id"])
    told = (body["valid_from"], body["values"], body["by"], body["why"], body["restores"])
    return Version(int(row.record_id), scope, row.state, *told)
