"""Why a settlement account cannot be changed: every reason at once, each with what it concerns and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from pos_host.ledger.book import Book
from pos_host.ledger.group_totals import has_money
from pos_host.ledger.records import body_of
from pos_host.ledger.registry import Registry
from pos_host.ledger.terminal_clock import TERMINAL_CLOCK
from pos_host.merchants.accounts.account_numbers import AccountRules
from pos_host.merchants.accounts.accounts import ACCOUNT, KNOWN_TO_BANK, account_in_place
from pos_host.merchants.accounts.change_rules import ChangeRules
from pos_host.merchants.accounts.holders import holder_of_record
from pos_host.merchants.four_eyes import same_person
from pos_specs.checked_table import CheckedTable
from pos_specs.dialect_file import Place, SourcedTable, read_file

EFFECTS = ("blocks", "warns", "off")

CHANGES = ("account_change", "holder_change")

MOST_NAMED = 3
"""Things that a sentence names of one reason; the list of blockers has them all."""

UNDER_WAY = ("submitted", "approved", "activated", "testing", "watching", "watched")
"""States of a change, of either kind, that ends no sooner than somebody or the host goes on with it."""


class Proposal(NamedTuple):
    """The account that somebody wants, as far as reasons look at it; nothing of it is secret. `number_fault` says why
    its number is none, "" where it is one."""

    print: str
    number_fault: str
    bank: str
    account_type: str
    holder: str
    expires_on: str


class Situation(NamedTuple):
    """All that reasons are found in. `proposal` is None while only the merchant is looked at; `papers` the kinds of
    paper that are named (or, without a proposal, on record); `but` a change that is not looked at; `allowed` whether
    who asks has the right to apply; `today` the merchant's date."""

    registry: Registry
    merchant_id: str
    now_ms: int
    today: date
    allowed: bool
    accounts: AccountRules
    changes: ChangeRules
    proposal: Proposal | None
    papers: frozenset[str]
    needed_papers: tuple[str, ...]
    but: str = ""


@dataclass(frozen=True, slots=True)
class BlockerRule:
    """What is said of a reason and what follows from it."""

    code: str
    text: str
    remedy: str
    effect: str
    on_loss: str
    again: bool
    of_holder: bool


def blockers_of(situation: Situation, *, again: bool = False, of_holder: bool = False) -> list[dict[str, Any]]:
    """Every reason there is, blocking or warning; `again` only those that are looked at once more at approval,
    `of_holder` those that stand against a change of the holder too."""
    lost = _lost(situation)
    found = []
    for rule in blocker_rules():
        effect = rule.on_loss if lost else rule.effect
        if effect == "off" or (again and not rule.again) or (of_holder and not rule.of_holder):
            continue
        concerns = _FINDERS[rule.code](situation)
        if concerns:
            found.append(
                {
                    "code": rule.code,
                    "text": rule.text,
                    "concerns": concerns,
                    "remedy": rule.remedy,
                    "blocks": effect == "blocks",
                }
            )
    return found


def blocking_in_words(found: list[dict[str, Any]]) -> str:
    """The reasons that block, each with what it concerns and what to do; "" where none does."""
    return "; ".join(
        f"{blocker['code']} ({_some(blocker['concerns'])}): {blocker['remedy']}"
        for blocker in found
        if blocker["blocks"]
    )


def _some(concerns: list[str]) -> str:
    more = f" and {len(concerns) - MOST_NAMED} more" if len(concerns) > MOST_NAMED else ""
    return ", ".join(concerns[:MOST_NAMED]) + more


@lru_cache(1)
def blocker_rules() -> tuple[BlockerRule, ...]:
    """The rules as shipped, in the order of telling; raises DialectError for a reason that nobody can find."""
    file = read_file(resources.files("pos_host.merchants.accounts") / "blockers.toml")
    top = CheckedTable(SourcedTable(file.table, {(): Place(file, ())}), (), file.table)
    rules = tuple(_rule(top.sub(code), code) for code in _FINDERS)
    top.done("blockers.toml, which has the reasons of blockers.py")
    order = list(file.table)
    return tuple(sorted(rules, key=lambda rule: order.index(rule.code)))


def _rule(row: CheckedTable, code: str) -> BlockerRule:
    effect = row.choice("effect", EFFECTS)
    rule = BlockerRule(
        code=code,
        text=row.text("text"),
        remedy=row.text("remedy"),
        effect=effect,
        on_loss=row.choice("on_loss", EFFECTS, effect),
        again=row.flag("again"),
        of_holder=row.flag("of_holder"),
    )
    row.done("a reason")
    return rule


def _lost(situation: Situation) -> bool:
    row = account_in_place(situation.registry.records, situation.merchant_id)
    return row is not None and bool(body_of(row).get("lost"))


# -- of the merchant's books


def _books(situation: Situation) -> Iterable[Book]:
    return (book for book in situation.registry.of_merchant(situation.merchant_id) if book.status != "closed")


def _batch_unsettled(situation: Situation) -> list[str]:
    return [
        f"terminal {book.terminal_id}, batch {batch.number}"
        for book in situation.registry.of_merchant(situation.merchant_id)
        for batch in book.batches
        if not batch.closed and has_money(batch)
    ]


def _payout_in_flight(situation: Situation) -> list[str]:
    """Held payouts are not under way: a change may be what frees them."""
    return [
        f"payout {payout.payout_id}, due {payout.due_day}"
        for payout in situation.registry.payouts.values()
        if payout.merchant_id == situation.merchant_id and payout.state in ("pending", "released")
    ]


def _terminal_not_synced(situation: Situation) -> list[str]:
    return [f"terminal {book.terminal_id}" for book in _books(situation) if book.owed is not None]


def _terminal_fault(situation: Situation) -> list[str]:
    closures = situation.registry.records.of_kind("closure", situation.merchant_id)
    faulty = [row for row in closures if body_of(row).get("reason") in ("fault", "damage") and row.state == "closing"]
    return [f"closure {row.record_id}" for row in faulty]


def _terminal_offline(situation: Situation) -> list[str]:
    return [f"terminal {b.terminal_id}" for b in _books(situation) if b.session is None or b.session.closed]


def _terminal_clock_wrong(situation: Situation) -> list[str]:
    found = []
    for book in _books(situation):
        row = situation.registry.records.find(TERMINAL_CLOCK, str(book.terminal_no))
        if row is not None and row.state == "wrong":
            found.append(f"terminal {book.terminal_id}, off by {body_of(row)['off_s']} s")
    return found


# -- of the merchant


def _change_in_progress(situation: Situation) -> list[str]:
    return [
        f"{kind.replace('_', ' ')} {row.record_id}, {row.state}"
        for kind in CHANGES
        for row in situation.registry.records.of_kind(kind, situation.merchant_id)
        if row.state in UNDER_WAY and f"{kind} {row.record_id}" != situation.but
    ]


def _change_limit_reached(situation: Situation) -> list[str]:
    since_ms = situation.now_ms - situation.changes.limit_within_ms
    rows = situation.registry.records.of_kind("account_change", situation.merchant_id)
    lately = [row.record_id for row in rows if body_of(row).get("activated_at_ms", 0) > since_ms]
    return [f"account change {number}" for number in lately] if len(lately) >= situation.changes.limit_changes else []


def _permission_denied(situation: Situation) -> list[str]:
    return [] if situation.allowed else ["account_change.apply"]


def _document_missing(situation: Situation) -> list[str]:
    return [kind for kind in situation.needed_papers if kind not in situation.papers]


def _frozen_by_acquirer(situation: Situation) -> list[str]:
    """An account that was reported lost is frozen too; that is what the change is for."""
    rows = situation.registry.records.of_kind(ACCOUNT, situation.merchant_id)
    frozen = [row for row in rows if row.state.startswith("frozen") and not body_of(row).get("lost")]
    found = [f"account {row.record_id} ({body_of(row)['masked']})" for row in frozen]
    suspended = situation.registry.merchant(situation.merchant_id).status == "suspended"
    return found + ([f"merchant {situation.merchant_id}"] if suspended else [])


def _merchant_closing(situation: Situation) -> list[str]:
    status = situation.registry.merchant(situation.merchant_id).status
    return [f"merchant {situation.merchant_id} is {status}"] if status in ("closing", "closed") else []


# -- of the account that is wanted


def _account_number_invalid(situation: Situation) -> list[str]:
    wanted = situation.proposal
    return [f"account.number {wanted.number_fault}"] if wanted is not None and wanted.number_fault else []


def _account_expired(situation: Situation) -> list[str]:
    wanted = situation.proposal
    if wanted is None or not wanted.expires_on or date.fromisoformat(wanted.expires_on) >= situation.today:
        return []
    return [f"account.expires_on {wanted.expires_on}"]


def _account_closed(situation: Situation) -> list[str]:
    return [f"account {row.record_id}" for row in _same_number(situation) if row.state == "closed"]


def _account_type_not_allowed(situation: Situation) -> list[str]:
    wanted = situation.proposal
    if wanted is None or situation.accounts.type_allowed(wanted.account_type, wanted.bank):
        return []
    allowed = ", ".join(situation.accounts.types_at(wanted.bank)) or "none"
    return [f"account.account_type {wanted.account_type}; allowed there: {allowed}"]


def _belongs_to_another_merchant(situation: Situation) -> list[str]:
    """The other merchant is not named: who asks may not be meant to know."""
    others = [row for row in _same_number(situation) if row.merchant_id != situation.merchant_id]
    return ["account.number"] if any(row.state in KNOWN_TO_BANK for row in others) else []


def _holder_mismatch(situation: Situation) -> list[str]:
    wanted = situation.proposal
    if wanted is None or not is_of_another(situation.registry, situation.merchant_id, wanted.holder):
        return []
    return [] if "authorisation" in situation.papers else ["account.holder"]


def _bank_not_supported(situation: Situation) -> list[str]:
    wanted = situation.proposal
    if wanted is None or wanted.bank in situation.accounts.banks:
        return []
    return [f"account.bank is none of {', '.join(situation.accounts.banks)}"]


def is_of_another(registry: Registry, merchant_id: str, holder: str) -> bool:
    """Whether an account in the name of `holder` is not in the merchant's own holder's."""
    own = holder_of_record(registry.records, merchant_id)
    return bool(own) and not same_person(own, holder)


def _same_number(situation: Situation) -> list[Any]:
    wanted = situation.proposal
    if wanted is None or not wanted.print:
        return []
    return [r for r in situation.registry.records.of_kind(ACCOUNT) if body_of(r)["number_print"] == wanted.print]


_FINDERS: Mapping[str, Callable[[Situation], list[str]]] = {
    "batch_unsettled": _batch_unsettled,
    "payout_in_flight": _payout_in_flight,
    "change_in_progress": _change_in_progress,
    "change_limit_reached": _change_limit_reached,
    "permission_denied": _permission_denied,
    "document_missing": _document_missing,
    "account_number_invalid": _account_number_invalid,
    "account_expired": _account_expired,
    "account_closed": _account_closed,
    "account_type_not_allowed": _account_type_not_allowed,
    "belongs_to_another_merchant": _belongs_to_another_merchant,
    "holder_mismatch": _holder_mismatch,
    "bank_not_supported": _bank_not_supported,
    "frozen_by_acquirer": _frozen_by_acquirer,
    "terminal_not_synced": _terminal_not_synced,
    "terminal_fault": _terminal_fault,
    "terminal_offline": _terminal_offline,
    "terminal_clock_wrong": _terminal_clock_wrong,
    "merchant_closing": _merchant_closing,
}
