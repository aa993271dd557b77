"""Which account of a merchant stands in which place when a change is activated or rolled back."""

from __future__ import annotations

from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import Records, body_of
from pos_host.merchants.accounts.accounts import ACCOUNT, STANDING_BY, account_in_place, moved_account


def wanted_account(records: Records, change: RecordRow) -> RecordRow:
    """The account that a change is about; raises KeyError where the store has lost it."""
    account = records.find(ACCOUNT, body_of(change)["account_id"])
    if account is None:
        raise KeyError(f"account change {change.record_id} names an account that the store does not have")
    return account


def in_place(records: Records, merchant_id: str) -> str:
    """The number of the account that is in place now; "" for none."""
    account = account_in_place(records, merchant_id)
    return "" if account is None else account.record_id


def exchanged(records: Records, change: RecordRow, now_ms: int) -> tuple[RecordRow, ...]:
    """The new account in place, and the one that is there now as a former one."""
    new = moved_account(wanted_account(records, change), "activate", now_ms)
    old = account_in_place(records, change.merchant_id)
    return (new,) if old is None else (moved_account(old, "replace", now_ms), new)


def put_back(records: Records, change: RecordRow, now_ms: int) -> tuple[RecordRow, ...]:
    """The account before in place again; closed meanwhile, it stays closed and payouts are held."""
    new = wanted_account(records, change)
    gone = (moved_account(new, "replace", now_ms),) if new.state in ("active", "frozen") else ()
    old = records.find(ACCOUNT, body_of(change)["account_before"])
    if old is None or old.state not in ("former", "former_frozen"):
        return gone
    return (*gone, moved_account(old, "activate", now_ms))


def standing_by(records: Records, merchant_id: str) -> list[RecordRow]:
    """The merchant's accounts that stand by now."""
    return [account for account in records.of_kind(ACCOUNT, merchant_id) if account.state in STANDING_BY]


def kept_as_standby(records: Records, change: RecordRow, now_ms: int) -> tuple[RecordRow, ...]:
    """The new account standing by, and the ones that do so now as former ones."""
    replaced = [moved_account(one, "replace", now_ms) for one in standing_by(records, change.merchant_id)]
    return (*replaced, moved_account(wanted_account(records, change), "keep_as_standby", now_ms))


def standby_put_back(records: Records, change: RecordRow, now_ms: int) -> tuple[RecordRow, ...]:
    """The standby before stands by again; closed meanwhile, either of them stays closed."""
    new = wanted_account(records, change)
    gone = [moved_account(new, "replace", now_ms)] if new.state in STANDING_BY else []
    found = (records.find(ACCOUNT, number) for number in body_of(change).get("standby_before", ()))
    old = [one for one in found if one is not None and one.state in ("former", "former_frozen")]
    return (*gone, *(moved_account(one, "keep_as_standby", now_ms) for one in old))


def took_the_place_after(change: RecordRow, other: RecordRow) -> bool:
    """Whether another change has taken the place of this one's account since, and was not rolled back; an account in
    place and one that stands by have places of their own."""
    if int(other.record_id) <= int(change.record_id) or other.state == "rolled_back":
        return False
    body = body_of(other)
    return bool(body.get("activated_at_ms")) and body["role"] == body_of(change)["role"]
