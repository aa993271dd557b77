"""The person a merchant's money goes to, who often also runs the settlement there."""

from __future__ import annotations

from typing import Any, NamedTuple

from pos_host.clock import iso_utc
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import Records, body_of, record
from pos_host.merchants.accounts.account_numbers import mask_identity
from pos_host.merchants.accounts.accounts import account_in_place
from pos_host.merchants.accounts.given_account import HOLDER_MOST, IDENTITY_MOST
from pos_host.merchants.accounts.number_vault import NumberVault, needed
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Desk, Refused, Subject, Told, Written
from pos_host.merchants.free_text import plain_text
from pos_host.merchants.lives import Life
from pos_host.merchants.users import NAME, RESERVED

HOLDER = "holder"

HOLDER_LIFE = Life(
    "settlement_holder",
    "proposed",
    {
        "proposed": {"take_over": "active", "discard": "discarded"},
        "active": {"hand_over": "former"},
        "former": {"take_over": "active"},
        "discarded": {},
    },
)

OPERATOR_NUMBERS = 99
"""Operators of a terminal are numbered with two digits (unionpay.md 2: 60, user data); the last number is taken by a
change after which the merchant begins again."""


class GivenHolder(NamedTuple):
    """Who is to hold a merchant's settlement; `identity` is secret and hides in `repr`. `user` is the name of the
    user of this host that belongs to the person, "" for none."""

    name: str
    identity: str
    user: str = ""

    def __repr__(self) -> str:
        return "GivenHolder()"


class Holders:
    """The settlement holders of all merchants."""

    def __init__(self, desk: Desk, vault: NumberVault | None) -> None:
        self._desk = desk
        self._vault = vault

    def proposed(self, holder_id: str, merchant_id: str, given: GivenHolder, now_ms: int) -> RecordRow:
        """The row of a holder that an application names, sealed; raises Refused (422) for what is no person."""
        name, identity = _name(given), _identity(given)
        sealed = needed(self._vault).sealed(identity, f"holder {holder_id}")
        body = {
            "name": name,
            "identity_sealed": sealed.sealed,
            "identity_print": sealed.print,
            "identity_masked": mask_identity(identity),
            "user": _user(given),
            "operator_number": next_operator_number(self._desk.records, merchant_id),
        }
        return record(HOLDER, holder_id, merchant_id, HOLDER_LIFE.initial, now_ms, body)

    async def record_first(self, actor: Actor, merchant_id: str, given: GivenHolder) -> dict[str, Any]:
        """Enter the holder a merchant begins with; gives the view. Raises Refused where there is one."""

        def decide(now_ms: int) -> Written:
            registry = self._desk.registry
            if not registry.knows_merchant(merchant_id):
                raise Refused("no_such_merchant", f"merchant {merchant_id} is not known", status=404)
            if active_holder(registry.records, merchant_id) is not None:
                raise Refused("has_holder", f"merchant {merchant_id} has a settlement holder: apply for a change of it")
            made = self.proposed(registry.records.next_id(HOLDER), merchant_id, given, now_ms)
            row = made._replace(state=HOLDER_LIFE.after(made.state, "take_over"))
            view = holder_view(row)
            return Written((row,), (Told("settlement_holder.recorded", 0, view),), after=view, answer=view)

        subject = Subject("settlement holder", merchant_id)
        answer: dict[str, Any] = await self._desk.act(actor, "holder.record", subject, decide)
        return answer

    def of_merchant(self, merchant_id: str) -> list[dict[str, Any]]:
        """Views of a merchant's holders, former ones too, the oldest first."""
        return [holder_view(row) for row in self._desk.records.of_kind(HOLDER, merchant_id)]


def active_holder(records: Records, merchant_id: str) -> RecordRow | None:
    """Who holds the settlement now."""
    return next((row for row in records.of_kind(HOLDER, merchant_id) if row.state == "active"), None)


def holder_of_record(records: Records, merchant_id: str) -> str:
    """The name of the merchant's settlement holder, else of the holder of the account in place, else ""."""
    holder = active_holder(records, merchant_id)
    if holder is not None:
        return str(body_of(holder)["name"])
    account = account_in_place(records, merchant_id)
    return "" if account is None else str(body_of(account)["holder"])


def moved_holder(row: RecordRow, way: str, now_ms: int) -> RecordRow:
    """The holder after a step of the life; raises NotNow where there is no such step."""
    return row._replace(state=HOLDER_LIFE.after(row.state, way), changed_at_ms=now_ms)


def next_operator_number(records: Records, merchant_id: str) -> str:
    """Two digits that the merchant's holders before have not had, until all were."""
    return f"{len(records.of_kind(HOLDER, merchant_id)) % OPERATOR_NUMBERS + 1:02d}"


def holder_view(row: RecordRow) -> dict[str, Any]:
    """A holder as everybody may see them who may see the merchant: the identity number masked."""
    body = body_of(row)
    return {
        "holder_id": row.record_id,
        "merchant_id": row.merchant_id,
        "state": row.state,
        "name": body["name"],
        "identity": body["identity_masked"],
        "user": body["user"] or None,
        "operator_number": body["operator_number"],
        "changed_at": iso_utc(row.changed_at_ms),
    }


def _name(given: GivenHolder) -> str:
    name = " ".join(given.name.split())
    if not name or len(name) > HOLDER_MOST or not name.isprintable():
        raise Refused("invalid_holder", f"holder.name: must be 1 to {HOLDER_MOST} characters", status=422)
    return plain_text("holder.name", name)


def _user(given: GivenHolder) -> str:
    if given.user and (NAME.fullmatch(given.user) is None or given.user in RESERVED):
        raise Refused("invalid_holder", "holder.user: must be a name that a user can have, or left out", status=422)
    return given.user


def _identity(given: GivenHolder) -> str:
    identity = given.identity.strip()
    if not identity or len(identity) > IDENTITY_MOST or not identity.isprintable():
        raise Refused("invalid_holder", f"holder.identity: must be 1 to {IDENTITY_MOST} characters", status=422)
    return identity
