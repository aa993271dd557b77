"""One kind of agreement (settlement policies, fee schedules) put down, dated, brought back, and taking effect."""

from __future__ import annotations

from typing import Any, Protocol

from pos_host.ledger.merchant_rows import RecordRow
from pos_host.merchants.actors import HOST, Actor
from pos_host.merchants.desk import Desk, Refused, Subject, Told, Written
from pos_host.merchants.versions import AGREEMENT, Scope, Version, Versions, version_of, version_row


class Kind(Protocol):
    """What differs from one kind of agreement to another."""

    name: str
    """Of its records, and of its event `<name>.changed`."""

    action: str
    """The thing of the rights table: `policy` for `policy.set`."""

    def moment(self, scope: Scope, at_ms: int) -> str:
        """The instant `at_ms` as a text that versions of the scope begin at."""

    def read_moment(self, scope: Scope, text: str) -> str:
        """A moment as somebody wrote it; raises ValueError saying how it must be written."""

    def begins_at_ms(self, scope: Scope, moment: str) -> int:
        """When a version that is valid from `moment` begins, UTC milliseconds."""

    def check(self, versions: Versions, scope: Scope, moment: str) -> None:
        """Raises ValueError where what holds for `scope` at `moment` contradicts itself."""

    def effective(self, versions: Versions, scope: Scope, moment: str) -> dict[str, Any]:
        """What holds for `scope` at `moment`, everything inherited among it."""


class Agreements:
    """The versions of one kind. What takes effect later is a record with a due time; a source of the agenda."""

    def __init__(self, kind: Kind, desk: Desk) -> None:
        self.kind = kind
        self.versions = Versions(version_of(row) for row in desk.records.of_kind(kind.name))
        self._desk = desk
        desk.records.listen(kind.name, lambda row: self.versions.take(version_of(row)))

    async def put(
        self, actor: Actor, scope: Scope, values: dict[str, Any], valid_from: str | None = None, why: str = ""
    ) -> dict[str, Any]:
        """Have `values` hold for the scope in place of its own before them, from `valid_from` on or from now; gives
        the new version. Raises Refused for a scope that is not there, values that are wrong, and a time that is past.
        """

        def decide(now_ms: int) -> Written:
            return self._put(actor, scope, values, valid_from, why, 0, now_ms)

        return await self._act(actor, "set", scope, decide, why)

    async def restore(
        self, actor: Actor, scope: Scope, number: int, valid_from: str | None = None, why: str = ""
    ) -> dict[str, Any]:
        """Have an earlier version of the scope hold again; gives the new version that says so."""

        def decide(now_ms: int) -> Written:
            earlier = self._version(scope, number)
            return self._put(actor, scope, earlier.values, valid_from, why, number, now_ms)

        return await self._act(actor, "restore", scope, decide, why)

    async def withdraw(self, actor: Actor, scope: Scope, number: int, why: str = "") -> dict[str, Any]:
        """Take back a version that has not begun."""

        def decide(now_ms: int) -> Written:
            planned = self._version(scope, number)
            gone = planned._replace(state=AGREEMENT.after(planned.state, "withdraw"))
            self._check(gone, now_ms)
            told = Told(f"{self.kind.name}.withdrawn", 0, {"version": number, "scope": str(scope)})
            before, after = version_view(planned), version_view(gone)
            return Written((version_row(self.kind.name, gone, now_ms),), (told,), before, after, after)

        return await self._act(actor, "withdraw", scope, decide, why)

    def view(self, scope: Scope, at_ms: int) -> dict[str, Any]:
        """What the scope has of its own, what holds for it in all, and what is planned; raises Refused."""
        self.check_scope(scope)
        moment = self.kind.moment(scope, at_ms)
        own = self.versions.at(scope, moment)
        planned = [version for version in self.versions.of(scope) if version.state == "planned"]
        return {
            **_scope_view(scope),
            "version": None if own is None else own.number,
            "values": {} if own is None else own.values,
            "effective": self.kind.effective(self.versions, scope, moment),
            "planned": [version_view(version) for version in planned],
        }

    def history(self, scope: Scope) -> list[dict[str, Any]]:
        """Every version of the scope, the latest first; raises Refused."""
        self.check_scope(scope)
        return [version_view(version) for version in reversed(self.versions.of(scope))]

    def check_scope(self, scope: Scope) -> None:
        """Raises Refused (404) for a merchant or terminal that nobody knows."""
        registry = self._desk.registry
        if scope.merchant_id and not registry.knows_merchant(scope.merchant_id):
            raise Refused("unknown_merchant", f"merchant {scope.merchant_id} is not known", status=404)
        if scope.terminal_id and not registry.knows_terminal(scope.merchant_id, scope.terminal_id):
            raise Refused("unknown_terminal", f"there is no {scope}", status=404)

    # -- what takes effect later

    def next_due_ms(self) -> int | None:
        """When the next planned version begins."""
        rows = self._desk.records.of_kind(self.kind.name)
        return min((row.due_at_ms for row in rows if row.due_at_ms), default=None)

    async def act_on_due(self, now_ms: int) -> None:
        """Have the versions that begin by now take effect, in the order they begin."""
        rows = [row for row in self._desk.records.of_kind(self.kind.name) if row.due_at_ms]
        for row in sorted(rows, key=lambda row: (row.due_at_ms, int(row.record_id))):
            if row.due_at_ms <= now_ms:
                await self._take_effect(row)

    async def _take_effect(self, row: RecordRow) -> None:
        def decide(now_ms: int) -> Written:
            planned = version_of(self._desk.records.find(row.kind, row.record_id) or row)
            if planned.state != row.state:  # withdrawn while this waited for the desk
                return Written()
            return self._begun([planned], now_ms)

        await self._act(HOST, "take_effect", version_of(row).scope, decide, "")

    # -- deciding

    async def _act(self, actor: Actor, verb: str, scope: Scope, decide: Any, why: str) -> dict[str, Any]:
        subject = Subject(f"{self.kind.action} of {scope}", scope.merchant_id)
        answer: dict[str, Any] = await self._desk.act(actor, f"{self.kind.action}.{verb}", subject, decide, why)
        return answer

    def _put(
        self,
        actor: Actor,
        scope: Scope,
        values: dict[str, Any],
        valid_from: str | None,
        why: str,
        restores: int,
        now_ms: int,
    ) -> Written:
        self.check_scope(scope)
        moment = self._moment(scope, valid_from, now_ms)
        number = int(self._desk.records.next_id(self.kind.name))
        made = Version(number, scope, AGREEMENT.initial, moment, values, actor.name, why, restores)
        self._check(made, now_ms)
        begins_at_ms = self.kind.begins_at_ms(scope, moment)
        if begins_at_ms <= now_ms:
            return self._begun([*self._overdue(scope, now_ms), made], now_ms)
        told = Told(f"{self.kind.name}.planned", 0, {"version": number, "scope": str(scope), "valid_from": moment})
        view = version_view(made)
        return Written((version_row(self.kind.name, made, now_ms, begins_at_ms),), (told,), None, view, view)

    def _moment(self, scope: Scope, valid_from: str | None, now_ms: int) -> str:
        now = self.kind.moment(scope, now_ms)
        if valid_from is None:
            return now
        try:
            moment = self.kind.read_moment(scope, valid_from)
        except ValueError as error:
            raise Refused("valid_from_not_readable", f"valid_from {error}", status=422) from None
        if moment < now:
            raise Refused("valid_from_past", f"valid_from {moment} is past; what was done stays as it was", status=422)
        return moment

    def _check(self, version: Version, now_ms: int) -> None:
        """Raises Refused where the version, or what inherits from it, contradicts itself at any time from now on."""
        kept = self.versions
        tried = Versions(other for scope in kept.scopes() for other in kept.of(scope))
        tried.take(version)
        for scope in tried.scopes():
            if not version.scope.covers(scope):
                continue
            now = self.kind.moment(scope, now_ms)
            for moment in (now, *tried.turns_after(scope, now)):
                try:
                    self.kind.check(tried, scope, moment)
                except ValueError as error:
                    raise Refused(f"{self.kind.name}_not_valid", str(error), status=422) from None

    def _overdue(self, scope: Scope, now_ms: int) -> list[Version]:
        """Planned versions of the scope that should have begun by now, in order: the host was down meanwhile. What is
        agreed after them must not be replaced by them."""
        planned = [version for version in self.versions.of(scope) if version.state == "planned"]
        overdue = [version for version in planned if self.kind.begins_at_ms(scope, version.valid_from) <= now_ms]
        return sorted(overdue, key=lambda version: (version.valid_from, version.number))

    def _begun(self, planned: list[Version], now_ms: int) -> Written:
        """Versions of one scope that take effect, one after the other, and the end of each that is replaced."""
        scope, kind = planned[-1].scope, self.kind.name
        in_force = [version for version in self.versions.of(scope) if version.state == "in_force"]
        begun = [version._replace(state=AGREEMENT.after(version.state, "take_effect")) for version in planned]
        ended = [*in_force, *begun[:-1]]
        replaced = [version._replace(state=AGREEMENT.after(version.state, "replace")) for version in ended]
        rows = [version_row(kind, version, now_ms) for version in (*replaced, begun[-1])]
        told = [Told(f"{kind}.changed", 0, _changed(version)) for version in begun]
        before = version_view(in_force[0]) if in_force else None
        view = version_view(begun[-1])
        return Written(tuple(rows), tuple(told), before, view, view)

    def _version(self, scope: Scope, number: int) -> Version:
        found = next((version for version in self.versions.of(scope) if version.number == number), None)
        if found is None:
            raise Refused("unknown_version", f"{scope} has no version {number}", status=404)
        return found


def _changed(version: Version) -> dict[str, Any]:
    """What the event says of a version that takes effect."""
    return {"version": version.number, "scope": str(version.scope), "values": version.values}


def version_view(version: Version) -> dict[str, Any]:
    """A version as others see it."""
    return {
        "version": version.number,
        **_scope_view(version.scope),
        "state": version.state,
        "valid_from": version.valid_from,
        "values": version.values,
        "by": version.by,
        "why": version.why,
        "restores": version.restores or None,
    }


def _scope_view(scope: Scope) -> dict[str, Any]:
    return {
        "scope": scope.level,
        "merchant_id": scope.merchant_id or None,
        "terminal_id": scope.terminal_id or None,
    }
