"""What a card's issuer says to an amount: the host is the issuer of every card there is.

A card of the test card table is judged by its row; any other card is approved. The judge remembers nothing: a
table card's balance stays what the table says, so that a test finds it as the one before did.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from pos_host.clock import Instant
from pos_host.transaction.request import Request
from pos_specs.test_cards import TestCard

new = tuple.__new__
"""Makes a NamedTuple of all its columns without the call of its own `__new__`: every purchase needs one."""

CENTURY_MONTHS = 1200
"""A two-digit year is the one nearest to now: in the half of a century that lies behind, a card has expired."""

HOUR_MS = 3_600_000


class Judgement(NamedTuple):
    """What the issuer says: an outcome and, for people, why.

    `amount_minor` is what is approved: less than was asked only where the outcome is `partially_approved`, 0 where
    nothing is. `balance_minor` is None for a card that is not in the table.
    """

    outcome: str
    reason: str
    amount_minor: int
    balance_minor: int | None


def judge(request: Request, amount_minor: int, now: Instant) -> Judgement:
    """The issuer's word on taking `amount_minor` from the card; 0 where nothing is taken, as in a balance inquiry."""
    card = request.card.test
    if card is None:
        wrong = _wrong_pin(request) if request.pin else None
        if wrong is None:
            return new(Judgement, ("approved", "", amount_minor, None))
        return Judgement(*wrong, 0, None)
    refused = _refused(card, request, now)
    if refused is not None:
        return Judgement(*refused, 0, card.balance_minor)
    return _judge_amount(card, request, amount_minor)


def _refused(card: TestCard, request: Request, now: Instant) -> tuple[str, str] | None:
    """What speaks against the card whatever the amount is: the card itself, then its expiry, then the PIN."""
    if card.outcome != "approved":
        return card.outcome, f"test card {card.name}"
    month = _month(now.at_ms // HOUR_MS, now.date[:2])
    if _lies_behind(card.expiry, month) or _lies_behind(_expiry_sent(request), month):
        return "expired_card", "the card has expired"
    return _wrong_pin(request) if request.pin else None


def _wrong_pin(request: Request) -> tuple[str, str] | None:
    """What a PIN that was checked comes to; once the tries are used up not even the right one helps."""
    if request.pin == "unreadable":
        return "pin_block_wrong", "the PIN block cannot be read"
    if request.pin_tries_left <= 0:
        return "pin_tries_exceeded", "too many wrong PINs"
    return ("wrong_pin", "wrong PIN") if request.pin == "wrong" else None


def _judge_amount(card: TestCard, request: Request, amount_minor: int) -> Judgement:
    balance = card.balance_minor
    if card.limit_minor is not None and amount_minor > card.limit_minor:
        return Judgement("over_limit", f"test card {card.name} takes {card.limit_minor} at most", 0, balance)
    available = balance if card.available_minor is None else card.available_minor
    if amount_minor <= available:
        return new(Judgement, ("approved", "", amount_minor, balance))
    if card.available_minor and takes_a_part(request):
        return Judgement("partially_approved", f"test card {card.name} has {available} left", available, balance)
    return Judgement("insufficient_funds", f"test card {card.name} has {available} left", 0, balance)


def takes_a_part(request: Request) -> bool:
    """Whether the terminal says that it can go on with less than it asks (60.6 = 1, unionpay.md 2.1)."""
    return request.meaning("partial_approval") == "1"


def has_expired(expiry: str, now: Instant) -> bool:
    """Whether the month YYMM lies before now's; False for what is no month, as the zeros of some terminals."""
    return _lies_behind(expiry, _month(now.at_ms // HOUR_MS, now.date[:2]))


def _expiry_sent(request: Request) -> str:
    """DE14, or what follows the card number on track 2 (ISO/IEC 7813); "" where neither can be read."""
    fields = request.message.fields
    expiry = fields.get(14)
    if expiry is not None:
        return expiry
    track = fields.get(35, "")
    end = track.find("D")
    if end < 0:
        end = track.find("=")
    return track[end + 1 : end + 5] if end > 0 else ""


@lru_cache(maxsize=256)
def _lies_behind(expiry: str, month: int) -> bool:
    """Remembered, since it is asked for every purchase of a test card; a card has one of a hundred-odd expiries."""
    if len(expiry) != 4 or not expiry.isdecimal() or not "01" <= expiry[2:] <= "12":
        return False
    return (int(expiry[:2]) * 12 + int(expiry[2:]) - month) % CENTURY_MONTHS >= CENTURY_MONTHS // 2


@lru_cache(maxsize=2)
def _month(hour: int, month: str) -> int:
    """The month of the merchant's date, counted over years; `hour` since 1970 in UTC, which can be a month off."""
    utc = datetime.fromtimestamp(hour * 3600, UTC)
    year = utc.year + (month == "01" and utc.month == 12) - (month == "12" and utc.month == 1)
    return year * 12 + int(month)
