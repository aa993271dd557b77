"""The table of test cards."""

from __future__ import annotations

from pathlib import Path

import pytest

from pos_specs import test_cards
from pos_specs.card_number import luhn_valid
from pos_specs.errors import DialectError
from pos_specs.vocabulary import CARD_OUTCOMES

ROW = """
[[card]]
name = "good"
pan = "6212345678901234569"
organisation = "CUP"
product = "debit"
expiry = "4912"
pin = "123456"
balance_minor = 100
"""


def cards() -> list[test_cards.TestCard]:
    return list(test_cards.shipped_test_cards().values())


def read(tmp_path: Path, text: str) -> test_cards.Table:
    path = tmp_path / "cards.toml"
    path.write_text(text, "utf-8")
    return test_cards.read_test_cards(path)


def test_every_shipped_card_has_a_right_check_digit() -> None:
    assert [] == [card.name for card in cards() if not luhn_valid(card.pan)]


def test_there_is_a_card_of_every_scheme() -> None:
    assert {"CUP", "VIS", "MCC", "MAE", "JCB", "DCC", "AMX"} == {card.organisation for card in cards()}


@pytest.mark.parametrize("scheme", ["CUP", "VIS", "MCC"])
def test_the_large_schemes_have_a_card_of_every_product(scheme: str) -> None:
    assert set(test_cards.PRODUCTS) == {card.product for card in cards() if card.organisation == scheme}


@pytest.mark.parametrize("scheme", ["CUP", "VIS"])
def test_there_is_a_card_for_everything_an_issuer_can_say(scheme: str) -> None:
    mine = [card for card in cards() if card.organisation == scheme]
    by_row = {card.outcome for card in mine}
    by_row |= {"insufficient_funds"} if any(card.balance_minor == 0 for card in mine) else set()
    by_row |= {"over_limit"} if any(card.limit_minor is not None for card in mine) else set()
    by_row |= {"partially_approved"} if any(card.available_minor is not None for card in mine) else set()
    by_row |= {"expired_card"} if any(card.expiry < "2101" for card in mine) else set()

    assert set(CARD_OUTCOMES) - {"cryptogram_wrong"} <= by_row


def test_a_card_is_found_by_its_name() -> None:
    card = test_cards.find_test_card("visa")

    assert card is not None
    assert "4111111111111111" == card.pan
    assert test_cards.find_test_card("nobody") is None


def test_a_cards_text_shows_neither_number_nor_pin(tmp_path: Path) -> None:
    (card,) = read(tmp_path, ROW).values()

    assert "6212345678901234569" not in repr(card)
    assert "123456" not in repr(card)


@pytest.mark.parametrize(
    ("key", "line", "reason"),
    [
        ("pan", 'pan = "6212345678901234560"', "must have 12 to 19 digits and a right check digit"),
        ("pan", 'pan = "62123456"', "must have 12 to 19 digits and a right check digit"),
        ("organisation", 'organisation = "VIS"', "is 'VIS', but the number belongs to CUP"),
        ("product", 'product = "gold"', "is 'gold', must be one of debit, credit, prepaid"),
        ("expiry", 'expiry = "4913"', "must be YYMM"),
        ("pin", 'pin = "12"', "must have 4 to 12 digits (ISO 9564-1)"),
        ("name", 'name = "Good Card"', "must be words of a-z and 0-9 joined by -"),
        ("balance_minor", "balance_minor = -1", "must be a whole number from 0 to 999999999999"),
    ],
)
def test_a_wrong_value_is_refused_with_file_line_and_key(tmp_path: Path, key: str, line: str, reason: str) -> None:
    text = "\n".join(line if row.startswith(f"{key} =") else row for row in ROW.splitlines())

    with pytest.raises(DialectError) as refused:
        read(tmp_path, text)

    number = text.splitlines().index(line) + 1
    assert f"cards.toml:{number}: card[1].{key}: {reason}" == str(refused.value)


def test_a_part_cannot_be_said_whatever_the_amount_is(tmp_path: Path) -> None:
    with pytest.raises(DialectError, match="outcome: is 'partially_approved', must be one of"):
        read(tmp_path, ROW + 'outcome = "partially_approved"\n')


def test_a_number_stands_in_the_table_once(tmp_path: Path) -> None:
    with pytest.raises(DialectError, match=r"card\[2\].pan: is also the number of good"):
        read(tmp_path, ROW + ROW.replace('"good"', '"other"'))


def test_a_name_stands_in_the_table_once(tmp_path: Path) -> None:
    with pytest.raises(DialectError, match=r"card\[2\].name: 'good' is used twice"):
        read(tmp_path, ROW + ROW.replace("6212345678901234569", "4111111111111111").replace("CUP", "VIS"))


def test_an_unknown_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DialectError, match=r"cards.toml:10: card\[1\].limit: is not a key of a test card"):
        read(tmp_path, ROW + "limit = 5\n")
