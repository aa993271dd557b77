"""Which function a message means, and what an incomplete one lacks."""

import pytest

from pos_specs.language import ROUTES_KEPT, Language, missing, open_language, shipped_languages
from pos_specs.message import Message

UNIONPAY = open_language("unionpay")
HYPERCOM = open_language("hypercom")
ISO87 = open_language("iso87-ascii")

SALE = {
    3: "000000",
    4: "000000000100",
    11: "000001",
    22: "021",
    25: "00",
    35: "6222020000000000=3012",
    41: "T0000001",
    42: "M00000000000001",
    49: "156",
    60: "22000001000500",
}


def function_of(language: Language, mti: str, fields: dict[int, str]) -> str | None:
    rule = language.function_of(Message(mti, fields))
    return None if rule is None else rule.name


@pytest.mark.parametrize(
    ("language", "mti", "fields", "function"),
    [
        (UNIONPAY, "0800", {60: "00000001003"}, "sign_in"),
        (UNIONPAY, "0820", {60: "00000001002"}, "sign_off"),
        (UNIONPAY, "0820", {60: "00000001301"}, "echo"),
        (UNIONPAY, "0800", {60: "00000001360"}, "parameters"),
        (UNIONPAY, "0800", {60: "00000001361"}, "parameters"),
        (UNIONPAY, "0820", {60: "00000001362"}, "status"),
        (UNIONPAY, "0800", {60: "00000001370"}, "parameters"),
        (UNIONPAY, "0820", {60: "00000001382"}, "parameters"),
        (UNIONPAY, "0820", {60: "07000001301"}, "signature"),
        (UNIONPAY, "0820", {60: "00000001800"}, "signature"),
        (UNIONPAY, "0620", SALE | {60: "00000001951"}, "script_result"),
        (UNIONPAY, "0200", SALE | {3: "310000", 60: "01000001"}, "balance"),
        (UNIONPAY, "0200", SALE | {25: "06", 60: "20000001"}, "completion"),
        (UNIONPAY, "0200", SALE | {60: "36000001"}, "offline_purchase"),
        (UNIONPAY, "0100", SALE | {3: "030000", 25: "06", 60: "10000001"}, "auth"),
        (UNIONPAY, "0200", SALE, "purchase"),
        (UNIONPAY, "0201", SALE, "purchase"),
        (UNIONPAY, "0200", SALE | {25: "99", 60: "26000001"}, "purchase"),
        (UNIONPAY, "0200", SALE | {3: "200000", 60: "23000001"}, "purchase_void"),
        (UNIONPAY, "0220", SALE | {3: "200000", 60: "25000001"}, "refund"),
        (UNIONPAY, "0400", SALE, "reversal"),
        (UNIONPAY, "0500", {60: "00000001201"}, "settlement"),
        (UNIONPAY, "0320", {60: "00000001201"}, "batch_upload"),
        (UNIONPAY, "0320", {60: "00000001203"}, "batch_upload"),
        (UNIONPAY, "0320", {60: "25000001000"}, "batch_upload"),
        (UNIONPAY, "0320", {60: "00000001207"}, "batch_upload_end"),
        (UNIONPAY, "0320", {60: "00000001202"}, "batch_upload_end"),
        (HYPERCOM, "0800", {3: "920000"}, "sign_in"),
        (HYPERCOM, "0800", {3: "990000"}, "echo"),
        (HYPERCOM, "0800", {70: "301"}, "echo"),
        (HYPERCOM, "0800", {3: "930000"}, "parameters"),
        (HYPERCOM, "0800", {3: "910000"}, "status"),
        (HYPERCOM, "0100", {3: "312000"}, "balance"),
        (HYPERCOM, "0320", {3: "940000"}, "tc_advice"),
        (HYPERCOM, "0200", {3: "010000"}, "cash_advance"),
        (HYPERCOM, "0200", {3: "000000"}, "purchase"),
        (HYPERCOM, "0200", {3: "020000"}, "purchase_void"),
        (HYPERCOM, "0200", {3: "203000"}, "refund"),
        (HYPERCOM, "0500", {3: "920000"}, "settlement"),
        (HYPERCOM, "0500", {3: "960000"}, "batch_upload_end"),
        (HYPERCOM, "0320", {3: "000001"}, "batch_upload"),
        (ISO87, "0800", {70: "001"}, "sign_in"),
        (ISO87, "0800", {70: "002"}, "sign_off"),
        (ISO87, "0800", {70: "301"}, "echo"),
        (ISO87, "0100", {3: "310000"}, "balance"),
        (ISO87, "0200", {3: "000000"}, "purchase"),
        (ISO87, "0200", {3: "200000"}, "refund"),
        (ISO87, "0200", {3: "020000"}, "purchase_void"),
        (ISO87, "0420", {}, "reversal"),
        (ISO87, "0500", {}, "settlement"),
    ],
)
def test_a_request_means_a_function(language: Language, mti: str, fields: dict[int, str], function: str) -> None:
    assert function == function_of(language, mti, fields)


@pytest.mark.parametrize(
    ("language", "mti", "fields"),
    [
        (UNIONPAY, "0200", SALE | {3: "310000", 60: "03000001"}),  # points query
        (UNIONPAY, "0200", SALE | {25: "64"}),  # instalment
        (UNIONPAY, "0800", {60: "00000001364"}),
        (HYPERCOM, "0800", {3: "510000"}),  # key exchange
        (ISO87, "0800", {70: "101"}),
        (ISO87, "9999", {}),
    ],
)
def test_what_fits_no_row_means_nothing(language: Language, mti: str, fields: dict[int, str]) -> None:
    assert function_of(language, mti, fields) is None


@pytest.mark.parametrize("absent", [3, 25, 60])
def test_a_purchase_without_what_tells_it_from_others_is_an_incomplete_purchase(absent: int) -> None:
    message = Message("0200", {number: value for number, value in SALE.items() if number != absent})

    for _ in range(2):  # found, then remembered
        rule = UNIONPAY.function_of(message)
        assert rule is not None
        assert ("purchase", str(absent)) == (rule.name, missing(rule, message))
        assert not UNIONPAY.fits(rule, message)


def test_a_complete_balance_does_not_become_a_purchase_because_another_lacked_its_type() -> None:
    without = Message("0200", {n: v for n, v in SALE.items() if n != 60})
    balance = Message("0200", SALE | {3: "310000", 60: "01000001"})

    assert ["purchase", "balance"] == [
        rule.name for rule in map(UNIONPAY.function_of, (without, balance)) if rule is not None
    ]


def test_what_is_there_must_speak_for_a_function_unless_nothing_is_there() -> None:
    assert function_of(HYPERCOM, "0800", {3: "510000"}) is None  # though an echo by DE70 is known
    assert "sign_in" == function_of(HYPERCOM, "0800", {11: "000001"})
    assert "sign_in" == function_of(ISO87, "0800", {11: "000001"})


def test_an_element_too_short_for_its_part_is_not_taken_for_absent() -> None:
    assert function_of(UNIONPAY, "0820", {60: "00000001"}) is None
    assert "sign_off" == function_of(UNIONPAY, "0820", {})


def test_what_is_missing_is_named_also_out_of_a_choice() -> None:
    fields = {number: value for number, value in SALE.items() if number != 35}
    rule = UNIONPAY.function_of(Message("0200", fields))
    assert rule is not None

    assert "2 or 35" == missing(rule, Message("0200", fields))
    assert "4" == missing(rule, Message("0200", {n: v for n, v in fields.items() if n != 4}))
    assert missing(rule, Message("0200", SALE)) is None


def test_a_meaning_is_read_where_the_dialect_says() -> None:
    message = Message("0200", SALE | {61: "000001000009"})

    assert ("000001", "000009") == (
        UNIONPAY.meaning("batch_number", message),
        UNIONPAY.meaning("original_stan", message),
    )
    assert UNIONPAY.meaning("invoice", message) is None


def test_random_requests_do_not_grow_the_tables_without_end() -> None:
    language = Language(ISO87.dialect)
    for number in range(ROUTES_KEPT + 50):
        assert "purchase" == function_of(language, "0200", {3: f"00{number:04d}"})
        assert function_of(language, "0200", {3: f"99{number:04d}"}) is None

    assert 0 < len(language._routes) <= ROUTES_KEPT


def test_the_card_number_is_made_by_the_host_in_unionpay_answers() -> None:
    rule = UNIONPAY.function_of(Message("0200", SALE))
    assert rule is not None

    assert (True, False) == (2 in rule.add, 2 in rule.echo)
    assert 2 == UNIONPAY.dialect.element_for("pan")


SHIPPED = [
    "base24-pos",
    "hypercom",
    "hypercom-99bill",
    "hypercom-ebcdic",
    "hypercom-left-pan",
    "hypercom-right-f",
    "iso87-ascii",
    "iso87-binary",
    "iso93-ascii",
    "postilion",
    "termapp-a",
    "unionpay",
]


def test_every_shipped_dialect_opens_and_is_opened_once() -> None:
    assert SHIPPED == [language.name for language in shipped_languages()]
    assert UNIONPAY is open_language("unionpay")
