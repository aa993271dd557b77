"""What payouts need to know of a merchant and do not decide themselves: terms, accounts, and what holds its money."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Protocol

from pos_host.ledger.book import Book
from pos_host.settlement.policy import Policy

if TYPE_CHECKING:
    from pos_host.money.business_calendar import BusinessCalendar
    from pos_host.money.fee_schedule import FeeSchedule


class Terms(Protocol):
    """What was agreed with the merchants."""

    def policy_of(self, book: Book) -> Policy:
        """The settlement policy of a terminal, as it holds now."""

    def schedule_of(self, merchant_id: str, day: date, terminal_id: str = "") -> FeeSchedule:
        """The fee schedule of a merchant, or of one of its terminals, on a business day."""

    def calendar_of(self, merchant_id: str, day: date) -> BusinessCalendar:
        """On which days a merchant is paid, as agreed for a business day."""


class Paying(Protocol):
    """Where a payout goes: the account ("" where none is known), its masked number, and why it is held instead."""

    @property
    def account_id(self) -> str: ...

    @property
    def masked(self) -> str: ...

    @property
    def hold_reasons(self) -> tuple[str, ...]: ...


class PayoutAccounts(Protocol):
    """Who knows the merchants' accounts. `product` is "" for a payout of several products."""

    def payout_account(self, merchant_id: str, product: str, day: date, amount_minor: int) -> Paying: ...


class ShippedTerms:
    """One policy and the shipped schedule for everybody."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def policy_of(self, book: Book) -> Policy:
        return self._policy

    def schedule_of(self, merchant_id: str, day: date, terminal_id: str = "") -> FeeSchedule:
        from pos_host.money.fee_schedule import shipped_schedule  # with the first fee: a start needs none

        return shipped_schedule()

    def calendar_of(self, merchant_id: str, day: date) -> BusinessCalendar:
        from pos_host.money.business_calendar import shipped_calendar

        return shipped_calendar()


class _NoAccount:
    account_id = ""
    masked = ""
    hold_reasons: tuple[str, ...] = ()


class NoAccounts:
    """Nobody's account is known: a test host pays all the same."""

    def payout_account(self, merchant_id: str, product: str, day: date, amount_minor: int) -> Paying:
        return _NoAccount()


def nothing_holds(book: Book) -> str:
    """No terminal's payouts are held."""
    return ""
