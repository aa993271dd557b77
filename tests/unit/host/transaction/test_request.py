from __future__ import annotations

import pytest
from tests.unit.host.pipeline.terminals import CARDS, UNIONPAY_CARD, VISA_CARD, WRONG_CARD

from pos_host.transaction import request as request_module
from pos_host.transaction.request import CardReader, Request
from pos_specs.language import open_language
from pos_specs.message import Message

SALE = {
    2: UNIONPAY_CARD,
    3: "000000",
    4: "000000001234",
    11: "000007",
    22: "012",
    25: "00",
    41: "T0000001",
    42: "898310000000001",
    49: "156",
    60: "22000123000500",
}


def request_of(dialect: str = "unionpay", mti: str = "0200", **changes: str | None) -> Request:
    language = open_language(dialect)
    fields = {**SALE, **{int(name[1:]): value for name, value in changes.items()}}
    message = Message(mti, {number: value for number, value in sorted(fields.items()) if value is not None})
    route = language.route(message)
    assert route is not None
    return Request(language, route, message, CardReader(b"key"))


def test_a_card_is_known_by_a_keyed_print_and_shown_masked() -> None:
    cards = CardReader(b"key")
    card = cards.read(VISA_CARD)

    assert ("VIS", True) == (card.organisation, card.valid)
    assert VISA_CARD[:6] + "*" * 6 + VISA_CARD[-4:] == card.masked
    assert card == cards.read(VISA_CARD)
    assert card.print != CardReader(b"another key").read(VISA_CARD).print
    assert len(CARDS) == len({cards.read(pan).print for pan in CARDS})


def test_a_print_does_not_hold_the_number() -> None:
    assert UNIONPAY_CARD[6:-4] not in CardReader(b"key").read(UNIONPAY_CARD).print


@pytest.mark.parametrize("pan", [WRONG_CARD, "4" * 11, "4" * 20, "", "0"])
def test_what_is_no_card_number_is_not_valid(pan: str) -> None:
    assert not CardReader(b"key").read(pan).valid


def test_a_card_reader_remembers_a_limited_number_of_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_module, "PRINTS_KEPT", 3)
    cards = CardReader(b"key")

    for number in range(50):
        cards.read(f"6228480000{number:06d}")

    assert len(cards._known) <= 3


def test_a_request_says_who_asks_for_what() -> None:
    request = request_of()

    assert ("purchase", "898310000000001", "T0000001", "000007", 12_34, "156", "000123", "2000007") == (
        request.function,
        request.merchant_id,
        request.terminal_id,
        request.stan,
        request.amount_minor,
        request.currency,
        request.batch_number,
        request.key,
    )


def test_ids_lose_the_spaces_behind_them() -> None:
    request = request_of(f41="T1      ", f42="M1             ")

    assert ("T1", "M1") == (request.terminal_id, request.merchant_id)


def test_a_repeat_has_the_identity_of_its_first() -> None:
    assert request_of().key == request_of(mti="0201").key


def test_iso87_adds_date_and_time_to_the_identity() -> None:
    keys = {
        request_of("iso87-ascii", f60=None, f25=None, f12=time, f13="0302").key
        for time in ("120000", "120000", "120001")
    }

    assert {"20000071200000302", "20000071200010302"} == keys


def test_a_hypercom_sale_takes_its_amount_from_de4_whatever_de60_says() -> None:
    assert 12_34 == request_of("hypercom", f24="003", f60="000000000099", f62="000001").amount_minor


def test_a_hypercom_void_and_its_reversal_take_the_amount_that_stands_apart() -> None:
    void = {"f3": "020000", "f24": "003", "f60": "000000000099", "f62": "000001"}

    assert 99 == request_of("hypercom", **void).amount_minor
    assert 99 == request_of("hypercom", "0400", **void).amount_minor
    assert 12_34 == request_of("hypercom", "0400", **{**void, "f3": "000000"}).amount_minor


@pytest.mark.parametrize("text", ["", "12345", "1234567", "12345A", UNIONPAY_CARD])
def test_only_six_digits_are_an_invoice(text: str) -> None:
    assert "" == request_of("hypercom", f24="003", f60=None, f62=text).invoice
    assert "000042" == request_of("hypercom", f24="003", f60=None, f62="000042").invoice


def test_a_request_has_the_content_of_another_when_function_amount_and_card_are_the_same() -> None:
    request = request_of()
    print_ = request.card.print

    assert request.same_content("purchase", 12_34, print_)
    assert not request.same_content("refund", 12_34, print_)
    assert not request.same_content("purchase", 12_35, print_)
    assert not request.same_content("purchase", 12_34, "another")
