"""Users: who may ask the host under which role, and until when. A token is told once; the store has its digest only."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from pos_host.clock import iso_utc
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import body_of, record
from pos_host.merchants.actors import ADMIN, ASKING, HOST, Actor
from pos_host.merchants.desk import Desk, Refused, Subject, Told, Written
from pos_host.merchants.lives import Life

USER = "user"
"""Kind of the records; the id is the user's name."""

USER_LIFE = Life(USER, "active", {"active": {"rotate": "active", "revoke": "revoked"}, "revoked": {}})

NAME = re.compile(r"(?=[^a-z]*[a-z])[a-z0-9]([a-z0-9._@-]{0,62}[a-z0-9])?")
"""A name or an address in small letters, one at least: it stands in every audit row of what its user does, so it must
not be a card's number."""

TOKEN_USE = "token_use"
"""Kind of the records of when a token was used last; the id is the user's name. They are nobody's action, so they
stand in no trail."""

USE_NOTED_EVERY_MS = 60_000
"""A token that works all day leaves a row a minute, so its last use is known to the minute."""

RESERVED = frozenset({ADMIN.name, HOST.name})
"""Names that would pass for the host's own token, or for the host itself."""


class Users:
    """The users on record. `new_token` makes a token nobody can guess."""

    def __init__(self, desk: Desk, new_token: Callable[[], str]) -> None:
        self._desk = desk
        self._new_token = new_token
        self._by_digest: dict[str, _Token] = {}
        self._used_ms: dict[str, int] = {row.record_id: row.changed_at_ms for row in desk.records.of_kind(TOKEN_USE)}
        for row in desk.records.of_kind(USER):
            self._take(row)
        desk.records.listen(USER, self._take)

    def actor_of(self, token: str) -> Actor | None:
        """Whose token it is; None for nobody's, one that ended, or somebody's who was revoked."""
        found, now_ms = self._by_digest.get(digest_of(token)), self._desk.clock.now_ms()
        if found is None or 0 < found.expires_at_ms <= now_ms:
            return None
        self._note_use(found.actor, now_ms)
        return found.actor

    async def create(
        self, actor: Actor, name: str, role: str, merchant_id: str = "", why: str = "", expires_at_ms: int = 0
    ) -> dict[str, Any]:
        """Put a user on record and give it with its `token`, which is told this once and ends at `expires_at_ms` (UTC
        milliseconds; 0: never). Raises Refused."""

        def decide(now_ms: int) -> Written:
            self._check(name, role, merchant_id)
            _check_expiry(expires_at_ms, now_ms)
            row, token = self.issued(actor, name, role, merchant_id, now_ms, expires_at_ms)
            view = user_view(row)
            told = Told("user.created", 0, {"name": name, "role": role})
            return Written((row,), (told,), None, view, {**view, "token": token})

        return await self._act(actor, "user.create", name, merchant_id, decide, why)

    async def rotate(self, actor: Actor, name: str, why: str = "", expires_at_ms: int = 0) -> dict[str, Any]:
        """Give a user a new `token`; the one before it is nobody's from now on. Without an end of its own (UTC
        milliseconds) the new one lasts as long as the one before was given for."""

        def decide(now_ms: int) -> Written:
            before = self._row(name)
            USER_LIFE.after(before.state, "rotate")
            _check_expiry(expires_at_ms, now_ms)
            ends_at_ms, body = expires_at_ms, body_of(before)
            if not ends_at_ms and body.get("expires_at_ms"):
                ends_at_ms = now_ms + body["expires_at_ms"] - body["issued_at_ms"]
            row, token = self.issued(actor, name, body["role"], before.merchant_id, now_ms, ends_at_ms)
            view = user_view(row)
            told = Told("user.token_rotated", 0, {"name": name})
            return Written((row,), (told,), user_view(before), view, {**view, "token": token})

        return await self._act(actor, "user.rotate", name, self._merchant_of(name), decide, why)

    async def revoke(self, actor: Actor, name: str, why: str = "") -> dict[str, Any]:
        """End a user and its token for good; gives the user."""

        def decide(now_ms: int) -> Written:
            before = self._row(name)
            row = self.revoked(before, now_ms)
            view = user_view(row)
            return Written((row,), (Told("user.revoked", 0, {"name": name}),), user_view(before), view, view)

        return await self._act(actor, "user.revoke", name, self._merchant_of(name), decide, why)

    def issued(
        self, actor: Actor, name: str, role: str, merchant_id: str, now_ms: int, expires_at_ms: int = 0
    ) -> tuple[RecordRow, str]:
        """The row of a user with a new token given out by `actor`, for another action's commit, and the token."""
        token = self._new_token()
        known = self._desk.records.find(USER, name)
        created_at_ms = now_ms if known is None else body_of(known)["created_at_ms"]
        body = {"role": role, "digest": digest_of(token), "created_at_ms": created_at_ms, "issued_at_ms": now_ms}
        body |= {"known_to": list(dict.fromkeys((actor.name, *actor.known_to))), "expires_at_ms": expires_at_ms}
        return record(USER, name, merchant_id, USER_LIFE.initial, now_ms, body), token

    def revoked(self, row: RecordRow, now_ms: int) -> RecordRow:
        """The row of a user that ends, for another action's commit; raises NotNow for one that ended."""
        body = {**body_of(row), "digest": ""}
        return record(USER, row.record_id, row.merchant_id, USER_LIFE.after(row.state, "revoke"), now_ms, body)

    def revoke_of_holder(self, merchant_id: str, user: str, now_ms: int) -> tuple[RecordRow, ...]:
        """The rows that end a merchant's own user, for another action's commit; none where there is no such user."""
        mine = [row for row in self.of_merchant(merchant_id) if row.record_id == user]
        return tuple(self.revoked(row, now_ms) for row in mine)

    def of_merchant(self, merchant_id: str) -> list[RecordRow]:
        """The rows of a merchant's own users that are active."""
        return [row for row in self._desk.records.of_kind(USER, merchant_id) if row.state == USER_LIFE.initial]

    def user(self, name: str) -> dict[str, Any]:
        """One user; raises Refused."""
        return self._shown(self._row(name))

    def users(self) -> list[dict[str, Any]]:
        """Every user in the order they came, revoked ones among them."""
        return [self._shown(row) for row in self._desk.records.of_kind(USER)]

    def _shown(self, row: RecordRow) -> dict[str, Any]:
        return {**user_view(row), "last_used_at": iso_utc(self._used_ms.get(row.record_id, 0)) or None}

    def _note_use(self, actor: Actor, now_ms: int) -> None:
        if now_ms - self._used_ms.get(actor.name, 0) >= USE_NOTED_EVERY_MS:
            self._used_ms[actor.name] = now_ms
            self._desk.keep(record(TOKEN_USE, actor.name, actor.merchant_id, "used", now_ms, {}))

    def _check(self, name: str, role: str, merchant_id: str) -> None:
        if NAME.fullmatch(name) is None:
            text = "name must be 1 to 64 of a-z, 0-9 and . _ @ -, with a letter, no sign first or last"
            raise Refused("name_not_valid", text, status=422)
        if name in RESERVED or self._desk.records.find(USER, name) is not None:
            raise Refused("user_exists", f"{name} is taken; a name is never given to somebody else")
        if role not in ASKING:
            raise Refused("role_not_valid", f"role must be one of {', '.join(ASKING)}", status=422)
        if (role == "merchant") != bool(merchant_id):
            text = "merchant_id goes with the role merchant, and with no other"
            raise Refused("merchant_id_not_valid", text, status=422)
        if merchant_id and not self._desk.registry.knows_merchant(merchant_id):
            raise Refused("unknown_merchant", f"merchant {merchant_id} is not known", status=404)

    async def _act(
        self, actor: Actor, action: str, name: str, merchant_id: str, decide: Any, why: str
    ) -> dict[str, Any]:
        shown = name if NAME.fullmatch(name) else "(not a name)"
        answer: dict[str, Any] = await self._desk.act(actor, action, Subject(f"user {shown}", merchant_id), decide, why)
        return answer

    def _merchant_of(self, name: str) -> str:
        row = self._desk.records.find(USER, name)
        return "" if row is None else row.merchant_id

    def _row(self, name: str) -> RecordRow:
        row = self._desk.records.find(USER, name)
        if row is None:
            raise Refused("unknown_user", "there is no user of that name", status=404)
        return row

    def _take(self, row: RecordRow) -> None:
        """What a committed row makes of the user's tokens: the one it names, or none."""
        body = body_of(row)
        mine = [digest for digest, token in self._by_digest.items() if token.actor.name == row.record_id]
        for digest in mine:
            del self._by_digest[digest]
        if body["digest"]:
            actor = Actor(row.record_id, body["role"], row.merchant_id, tuple(body.get("known_to", ())))
            self._by_digest[body["digest"]] = _Token(actor, body.get("expires_at_ms", 0))


class _Token(NamedTuple):
    """Whose a token is, and when it ends (UTC milliseconds; 0: never)."""

    actor: Actor
    expires_at_ms: int


def _check_expiry(expires_at_ms: int, now_ms: int) -> None:
    if expires_at_ms and expires_at_ms <= now_ms:
        raise Refused("expiry_past", "expires_at is past: the token would never work", status=422)


def digest_of(token: str) -> str:
    """SHA-256 (hex): a token is as random as a key, so nobody finds it from its digest by trying."""
    return hashlib.sha256(token.encode()).hexdigest()


def user_view(row: RecordRow) -> dict[str, Any]:
    """A user as others see it: never the digest."""
    body = body_of(row)
    return {
        "name": row.record_id,
        "role": body["role"],
        "merchant_id": row.merchant_id or None,
        "state": row.state,
        "created_at": iso_utc(body["created_at_ms"]),
        "token_issued_at": iso_utc(body["issued_at_ms"]),
        "token_issued_by": next(iter(body.get("known_to", ())), None),
        "expires_at": iso_utc(body.get("expires_at_ms", 0)) or None,
    }
