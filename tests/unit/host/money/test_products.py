"""Which product a transaction is charged as."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
from tests.vectors.collection import entries, unionpay_body

from pos_host.money.products import Payment, read_products, shipped_products
from pos_specs.errors import DialectError
from pos_specs.language import open_language
from pos_specs.message import Message
from pos_specs.test_cards import find_test_card, shipped_test_cards

SHIPPED = (resources.files("pos_host.money") / "bin_products.toml").read_text("utf-8")
NOT_BY_ITS_PREFIX = {"unionpay-16"}
"""Eight digits of this credit card are those of a debit card: only its row tells."""


def product_of(message: Message, dialect: str = "unionpay") -> str:
    table = shipped_products()
    return table.product_of(table.payment_of(open_language(dialect), message))


def purchase(pan: str, entry_mode: str) -> Message:
    return Message("0200", {2: pan, 3: "000000", 4: "000000001000", 22: entry_mode, 25: "00", 60: "22000001000"})


def scanned(code: str) -> Message:
    """A UnionPay purchase by QR code, which stands as ASCII in tag 5F01 of DE62."""
    value = code.encode().hex().upper()
    fields = {3: "000000", 22: "030", 25: "99", 60: "26000001000", 62: f"5F01{len(code):02X}{value}"}
    return Message("0200", fields)


def pan_of(name: str) -> str:
    card = find_test_card(name)
    assert card is not None
    return card.pan


def test_the_prefixes_agree_with_the_test_cards() -> None:
    table = shipped_products()
    wrong = {card.name for card in shipped_test_cards().values() if table.account_of(card.pan[:8]) != card.product}

    assert NOT_BY_ITS_PREFIX == wrong


def test_a_test_cards_row_says_more_than_its_prefix() -> None:
    assert "credit" == product_of(purchase(pan_of("unionpay-16"), "021"))


def test_the_longest_prefix_decides() -> None:
    table = shipped_products()

    assert ["debit", "debit", "credit", "prepaid", "debit"] == [
        table.account_of(issuer) for issuer in ("62", "62490", "6250", "62345678", "62345")
    ]


def test_a_card_of_no_known_prefix_is_what_the_file_says(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(SHIPPED.replace('unknown = "credit"', 'unknown = "prepaid"'), "utf-8")

    assert "credit" == shipped_products().account_of("99999999")
    assert "prepaid" == read_products(own).account_of("99999999")


@pytest.mark.parametrize(
    ("card", "entry_mode", "product"),
    [
        ("unionpay-credit", "021", "credit"),
        ("unionpay-debit", "051", "debit"),
        ("unionpay-prepaid", "051", "debit"),
        ("unionpay-debit", "071", "cloud_quickpass"),
        ("unionpay-credit", "911", "cloud_quickpass"),
        ("unionpay-qr", "031", "cloud_quickpass"),
        ("visa", "071", "credit"),
        ("visa-debit", "012", "debit"),
    ],
)
def test_a_card_is_charged_by_its_account_unless_it_is_unionpays_and_contactless(
    card: str, entry_mode: str, product: str
) -> None:
    assert product == product_of(purchase(pan_of(card), entry_mode))


def test_a_card_known_by_track_2_alone_is_charged_as_the_same() -> None:
    swiped = Message("0200", {22: "021", 35: pan_of("unionpay-credit") + "D49121010000000000"})

    assert "credit" == product_of(swiped)


@pytest.mark.parametrize(
    ("code", "product"),
    [
        ("101234567890123456", "qr"),
        ("151234567890123456", "qr"),
        ("251234567890123456", "qr"),
        ("301234567890123456", "qr"),
        ("6212345678901234567", "cloud_quickpass"),
        ("991234567890123456", "qr"),
    ],
)
def test_a_scanned_code_is_charged_by_its_wallet(code: str, product: str) -> None:
    assert product == product_of(scanned(code))


def test_a_captured_qr_purchase_is_charged_as_qr() -> None:
    (vector,) = [entry for entry in entries("unionpay") if entry["name"] == "purchase_req_qr_mac_verified"]
    message = open_language("unionpay").decode(unionpay_body(vector))

    assert Payment(entry="qr", wallet="28") == shipped_products().payment_of(open_language("unionpay"), message)
    assert "qr" == product_of(message)


def test_a_qr_purchase_without_a_code_is_what_the_file_says() -> None:
    assert "qr" == product_of(Message("0200", {22: "030", 25: "99", 60: "26000001000"}))


@pytest.mark.parametrize(
    ("dialect", "value", "entry"),
    [
        ("unionpay", "071", "contactless"),
        ("unionpay", "912", "contactless"),
        ("unionpay", "030", "qr"),
        ("hypercom", "051", "chip"),
        ("hypercom", "071", "contactless"),
        ("iso87-ascii", "021", "stripe"),
        ("iso87-ascii", "012", "keyed"),
        ("iso87-ascii", "000", ""),
        ("iso93-ascii", "000000500000", "chip"),
    ],
)
def test_the_entry_is_known_by_the_words_of_the_dialect(dialect: str, value: str, entry: str) -> None:
    message = Message("0200", {22: value})

    assert entry == shipped_products().payment_of(open_language(dialect), message).entry


def test_no_more_than_the_issuers_digits_and_the_wallets_are_kept() -> None:
    table, unionpay = shipped_products(), open_language("unionpay")

    assert "62220210" == table.payment_of(unionpay, purchase(pan_of("unionpay-debit"), "051")).issuer
    assert "28" == table.payment_of(unionpay, scanned("284413234567890124")).wallet


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            'unknown = "credit"',
            'unknown = "gold"',
            "accounts.unknown: is 'gold', must be one of debit, credit, prepaid",
        ),
        ('unknown = "qr"', 'unknown = "cash"', "wallets.unknown: is 'cash', must be one of credit"),
        ('prepaid = ["623456"', 'prepaid = ["62"', "accounts.prefixes.prepaid: '62' stands under debit too"),
        (
            'prepaid = ["623456"',
            'prepaid = ["123456789"',
            "accounts.prefixes.prepaid: entry 1 of the list is no prefix",
        ),
        (
            'prepaid = ["623456"',
            'prepaid = ["62x"',
            "accounts.prefixes.prepaid: entry 1 of the list is no prefix, which has 1 to 8 digits",
        ),
        ("prepaid = [", "platinum = [", "accounts.prefixes.platinum: is not a key of this section"),
        ('prepaid = "debit"', "", "products.prepaid: is missing"),
        ('entries = ["contactless", "qr"]', 'entries = ["nfc"]', "quickpass.entries: has 'nfc', known are contactless"),
        ("[entries] ", "[entry] ", "entry: is not a key of a table of products"),
        ('organisations = ["CUP"]', 'organizations = ["CUP"]', "quickpass.organizations: is not a key"),
    ],
)
def test_a_mistake_in_the_table_is_named_with_file_and_key(old: str, new: str, says: str, tmp_path: Path) -> None:
    assert 1 == SHIPPED.count(old)
    own = tmp_path / "own.toml"
    own.write_text(SHIPPED.replace(old, new), "utf-8")

    with pytest.raises(DialectError, match=r"own\.toml:\d+: ") as raised:
        read_products(own)

    assert says in str(raised.value)


def test_a_whole_card_number_among_the_prefixes_is_refused_and_not_quoted(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(SHIPPED.replace('"623456"', f'"{pan_of("unionpay-prepaid")}"'), "utf-8")

    with pytest.raises(DialectError, match="no prefix") as raised:
        read_products(own)

    assert pan_of("unionpay-prepaid") not in str(raised.value)
