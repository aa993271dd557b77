"""Test cards."""

import pytest

from pos_specs.masking import luhn_valid
from pos_terminal.cards import DOMESTIC_CARDS, FOREIGN_CARDS, TEST_CARDS, Card, CardError, find_card, track2


@pytest.mark.parametrize("name", TEST_CARDS)
def test_every_test_card_has_its_check_digit(name: str) -> None:
    assert luhn_valid(TEST_CARDS[name].pan)


def test_domestic_cards_are_unionpays_and_foreign_ones_are_not() -> None:
    assert {"CUP"} == {TEST_CARDS[name].organisation for name in DOMESTIC_CARDS}
    assert "CUP" not in {TEST_CARDS[name].organisation for name in FOREIGN_CARDS}


def test_a_card_is_found_by_name_or_number() -> None:
    assert TEST_CARDS["visa"] == find_card("Visa")
    assert Card("4000000000000002") == find_card("4000000000000002")


def test_a_wrong_card_is_refused_without_showing_its_number() -> None:
    with pytest.raises(CardError, match="no test card 'gold'"):
        find_card("gold")
    with pytest.raises(CardError) as refused:
        find_card("41111111111111111111")
    assert "41111111111111111111" not in str(refused.value)


def test_track_2_is_never_longer_than_37() -> None:
    assert 37 == len(track2(Card("1" * 19), "D"))
