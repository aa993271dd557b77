"""Numbers of accounts: checked by data, masked, sealed; and what terminals take over."""

from __future__ import annotations

import pytest
from tests.unit.host.merchants.settlement_people import IDENTITY, NEW_NUMBER, account

from pos_host.ledger.takeover import can_take_over, owed, taken_over
from pos_host.ledger.terminal_clock import clock_row
from pos_host.merchants.accounts.account_numbers import mask_identity, mask_number, shipped_account_rules
from pos_host.merchants.accounts.change_rules import shipped_change_rules
from pos_host.merchants.accounts.given_account import checked
from pos_host.merchants.accounts.holders import GivenHolder
from pos_host.merchants.accounts.number_vault import NumberVault, needed
from pos_host.merchants.desk import Refused
from pos_host.merchants.free_text import plain_text
from pos_specs.language import open_language
from pos_specs.security.errors import SealBroken

RULES = shipped_account_rules()
KEY, OTHER_KEY = b"k" * 32, b"o" * 32
WRONG = NEW_NUMBER[:-1] + str((int(NEW_NUMBER[-1]) + 1) % 10)


@pytest.mark.parametrize(
    ("number", "account_type", "fault"),
    [
        (NEW_NUMBER, "personal", ""),
        (WRONG, "personal", "has a wrong digit: its last one is the check digit of ISO/IEC 7812-1 (Luhn)"),
        (WRONG, "corporate", ""),
        ("12345678", "corporate", "must have 9 to 30 digits"),
        ("1" * 31, "corporate", "must have 9 to 30 digits"),
        ("٣" * 16, "corporate", "must have 9 to 30 digits"),
        ("", "personal", "must have 16 to 19 digits"),
        ("", "never heard of", ""),
    ],
)
def test_a_number_is_checked_by_the_rule_of_its_type(number: str, account_type: str, fault: str) -> None:
    assert fault == RULES.number_fault(number, account_type)


@pytest.mark.parametrize(
    ("bank", "types"), [("102", ["personal", "corporate"]), ("403", ["personal"]), ("999", ["personal", "corporate"])]
)
def test_the_types_of_account_that_a_bank_keeps_are_told(bank: str, types: list[str]) -> None:
    assert types == RULES.types_at(bank)


@pytest.mark.parametrize(
    ("account_type", "bank", "allowed"),
    [("personal", "102", True), ("credit_card", "102", False), ("corporate", "403", False), ("personal", "999", True)],
)
def test_merchants_are_paid_to_accounts_of_some_types_only(account_type: str, bank: str, allowed: bool) -> None:
    assert allowed == RULES.type_allowed(account_type, bank)


@pytest.mark.parametrize(
    ("number", "masked"), [("6217001234567890", "************7890"), ("12345678", "****5678"), ("1234567", "*******")]
)
def test_only_the_last_four_are_shown_and_nothing_of_a_short_number(number: str, masked: str) -> None:
    assert masked == mask_number(number)


def test_nothing_of_an_identity_number_is_shown() -> None:
    assert "*" * len(IDENTITY) == mask_identity(IDENTITY)


def test_numbers_hide_in_repr() -> None:
    shown = repr(account()) + str(account()) + repr(GivenHolder("Li Si", IDENTITY)) + repr(NumberVault(KEY, bytes))

    assert NEW_NUMBER not in shown
    assert IDENTITY not in shown


@pytest.mark.parametrize(
    "text", [NEW_NUMBER, "6228 4800 4815 1623 427", "id 11010519491231002X.", "tel. 010-6510-1234", "a12345678b"]
)
def test_long_numbers_in_free_text_are_hidden(text: str) -> None:
    assert not any(run.isdigit() and len(run) > 3 for run in plain_text("why", text).replace("-", " ").split())


def test_free_text_without_long_numbers_stays_as_it_is() -> None:
    text = "batch 000012 of 2 March, CNY 51.00: in order"

    assert text == plain_text("why", f"  {text} \n")


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001, "a\x00b"])
def test_what_is_no_text_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        plain_text("why", text)
    assert 422 == refused.value.status


def test_a_number_may_be_written_in_groups() -> None:
    grouped = account(f"{NEW_NUMBER[:4]} {NEW_NUMBER[4:8]}-{NEW_NUMBER[8:]}")

    assert NEW_NUMBER == checked(grouped, RULES).number


def test_a_sealed_number_opens_for_its_own_thing_under_its_own_key() -> None:
    nonces = iter([b"1" * 12, b"2" * 12])
    vault = NumberVault(KEY, lambda size: next(nonces))
    first, second = (vault.sealed(NEW_NUMBER, f"account {number}") for number in (1, 2))
    assert first.print == second.print
    assert first.sealed != second.sealed
    assert NEW_NUMBER.encode() == vault.unseal(bytes.fromhex(first.sealed), "account 1")
    for other, thing in ((vault, "account 2"), (NumberVault(OTHER_KEY, bytes), "account 1")):
        with pytest.raises(SealBroken):
            other.unseal(bytes.fromhex(first.sealed), thing)

    assert first.print != NumberVault(OTHER_KEY, bytes).print_of(NEW_NUMBER)


def test_a_host_without_a_sealing_key_keeps_no_numbers() -> None:
    with pytest.raises(Refused) as refused:
        needed(None)
    assert "no_sealing_key" == refused.value.kind


def test_the_shipped_rules_of_changes_are_good() -> None:
    rules = shipped_change_rules()

    assert {"approved", "activated"} == set(rules.payouts_held_in)
    assert ["review", "activation", "test_transactions"] == [s["step"] for s in rules.promises("account_change")]


@pytest.mark.parametrize(
    ("dialect", "can"), [("unionpay", True), ("hypercom", True), ("iso87-ascii", True), ("base24-pos", False)]
)
def test_a_terminal_takes_changes_over_where_a_message_of_its_own_can(dialect: str, can: bool) -> None:
    assert can == can_take_over(open_language(dialect).dialect)


def test_what_a_terminal_is_owed_is_taken_once() -> None:
    row = owed(7, "M", 1000, {"what": "settlement_account"})
    (taken,) = taken_over(row, 2000)

    assert ("waiting", "taken", 2000) == (row.state, taken.state, taken.changed_at_ms)
    assert [] == taken_over(None, 2000)


@pytest.mark.parametrize(
    ("told", "state", "off_s"),
    [
        ("200000", "right", 0),
        ("200459", "right", 299),
        ("200500", "wrong", 300),
        ("195500", "wrong", -300),
        ("260302080000", "wrong", -43_200),
    ],
)
def test_a_terminals_clock_is_wrong_from_five_minutes_on(told: str, state: str, off_s: int) -> None:
    (row,) = clock_row(1, "M", {12: told}, "200000", 0)

    assert (state, f'{{"off_s": {off_s}}}') == (row.state, row.body)


def test_a_clock_is_compared_the_short_way_round_midnight() -> None:
    (row,) = clock_row(1, "M", {12: "000010"}, "235950", 0)

    assert ("right", '{"off_s": 20}') == (row.state, row.body)


@pytest.mark.parametrize("fields", [{}, {12: "250000"}, {12: "2000"}, {12: "20000x"}])
def test_a_terminal_that_tells_no_time_has_no_clock(fields: dict[int, str]) -> None:
    assert [] == clock_row(1, "M", fields, "200000", 0)
