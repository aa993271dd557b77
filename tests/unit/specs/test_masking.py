"""What a masked view shows, and that it hides whatever it cannot judge."""

import pytest

from pos_specs.card_number import luhn_digit, luhn_valid, mask_pan
from pos_specs.language import open_language
from pos_specs.masking import mask_fields, mask_parts
from pos_specs.message import Message

UNIONPAY = open_language("unionpay")
HYPERCOM = open_language("hypercom")
ISO87 = open_language("iso87-ascii")

CARD = "6222020000000000125"


@pytest.mark.parametrize(
    ("pan", "shown"),
    [
        ("6222020000000000125", "622202*********0125"),
        ("4761739001010", "476173***1010"),
        ("476173900101", "************"),
        ("4761739001010119X", "*****************"),
        ("٤761739001010119", "****************"),
        ("", ""),
    ],
)
def test_a_card_number_shows_first_six_and_last_four_digits(pan: str, shown: str) -> None:
    assert shown == mask_pan(pan)


def test_the_check_digit_is_found_and_recognised() -> None:
    assert "3" == luhn_digit("7992739871")
    assert luhn_valid("79927398713")
    assert not luhn_valid("79927398710")
    assert not luhn_valid("7992739871٣")
    assert not luhn_valid("")


def test_card_tracks_pin_and_secrets_are_masked_and_the_rest_is_shown() -> None:
    message = Message(
        "0200",
        {
            2: CARD,
            3: "000000",
            4: "000000000100",
            35: f"{CARD}D30122010000",
            41: "T0000001",
            42: "880210010210162",
            52: "1122334455667788",
            59: "AABB",
            60: "22000001000600",
            64: "3132333435363738",
        },
    )

    assert {
        "2": "622202*********0125",
        "3": "000000",
        "4": "000000000100",
        "35": "*" * 31,
        "41": "T0000001",
        "42": "880210010210162",
        "52": "*" * 16,
        "59": "****",
        "60": "22000001000600",
        "64": "3132333435363738",
    } == mask_fields(UNIONPAY, message)


def test_parts_of_hidden_elements_are_left_out() -> None:
    message = Message("0200", {2: CARD, 35: CARD, 52: "11" * 8, 59: "AABB", 60: "22000001"})

    assert {"60": {"message_type": "22", "batch_number": "000001"}} == mask_parts(UNIONPAY, message)


def test_chip_data_keep_their_shape_with_card_data_zeroed() -> None:
    message = Message("0200", {55: "9F2701805A0A6222020000000000125FDF7F021234"})

    assert {"55": "9F2701805A0A" + "00" * 10 + "DF7F020000"} == mask_fields(UNIONPAY, message)
    assert {"55": {"9F27": "80", "5A": "*" * 20, "DF7F": "****"}} == mask_parts(UNIONPAY, message)


def test_chip_data_that_cannot_be_read_are_hidden_whole() -> None:
    value = "9F2701805A0A6222"
    message = Message("0200", {55: value})

    assert {"55": "*" * len(value)} == mask_fields(UNIONPAY, message)
    assert {"55": {"9F27": "80", "unparsed": "*" * 8}} == mask_parts(UNIONPAY, message)


def test_uploaded_records_show_everything_but_the_card() -> None:
    record = "00" + "000123" + f"{CARD:0>20}" + "000000012345"
    message = Message("0320", {48: "02" + record + record[:15], 60: "00000001201"})

    assert mask_fields(UNIONPAY, message)["48"] == (
        "02" + "00" + "000123" + "0622202*********0125" + "000000012345" + "*" * 15
    )
    assert mask_parts(UNIONPAY, message)["48"] == {
        "record_count": "02",
        "records": [{"card_class": "00", "stan": "000123", "pan": "0622202*********0125", "amount": "000000012345"}],
        "unparsed": "*" * 15,
    }


def test_settlement_totals_are_shown_and_what_is_no_totals_is_not() -> None:
    totals = "000000012345003" + "000000000000000" + "0"

    assert totals == mask_fields(UNIONPAY, Message("0500", {48: totals, 60: "00000001201"}))["48"]
    assert "*" * 30 == mask_fields(UNIONPAY, Message("0500", {48: totals[:30], 60: "00000001201"}))["48"]
    assert "*" * 31 == mask_fields(UNIONPAY, Message("0200", {48: totals, 60: "22000001"}))["48"]


HYPERCOM_SHOWN = [
    (Message("0200", {62: "000123"}), 62, {"invoice": "000123"}),
    (
        Message("0500", {3: "920000", 63: "003000000012345"}),
        63,
        {"sales_count": "003", "sales_amount": "000000012345"},
    ),
    (
        Message("0320", {60: "0200000012" + "000000000777"}),
        60,
        {"original_mti": "0200", "original_stan": "000012", "original_rrn": "000000000777"},
    ),
]


@pytest.mark.parametrize(("message", "element", "parts"), HYPERCOM_SHOWN)
def test_a_layout_may_show_what_its_element_hides(message: Message, element: int, parts: dict[str, str]) -> None:
    assert message.fields[element] == mask_fields(HYPERCOM, message)[str(element)]
    assert parts == mask_parts(HYPERCOM, message)[str(element)]


@pytest.mark.parametrize(
    ("language", "message", "element"),
    [
        (HYPERCOM, Message("0200", {62: "00012X"}), 62),  # six characters, but no invoice
        (HYPERCOM, Message("0810", {62: "\x00\x10" + "k" * 16}), 62),  # keys
        (HYPERCOM, Message("0200", {63: "\x00\x0616123 "}), 63),  # CVV2 in table 16
        (HYPERCOM, Message("0500", {3: "920000", 63: "00300000001234D"}), 63),
        (HYPERCOM, Message("0200", {3: "920000", 63: "003000000012345"}), 63),
        (HYPERCOM, Message("0320", {60: f"0200{CARD[:18]}", 2: CARD}), 60),
        (UNIONPAY, Message("0810", {60: "00000001003", 62: "11" * 40}), 62),  # keys
        (UNIONPAY, Message("0810", {60: "00000001360", 62: b"1260990".hex()}), 62),  # unknown tag
        (UNIONPAY, Message("0810", {60: "00000001360", 62: b"14622202000000001".hex()}), 62),
        (UNIONPAY, Message("0320", {60: "00000001203", 62: b"6100000000000000100156X".hex()}), 62),
        (ISO87, Message("0200", {60: "000001"}), 60),
        (ISO87, Message("0200", {61: "000001"}), 61),
        (ISO87, Message("0200", {62: "000001"}), 62),
        (ISO87, Message("0200", {63: "000001"}), 63),
    ],
)
def test_what_no_layout_shows_stays_hidden(language: object, message: Message, element: int) -> None:
    assert set("*") == set(mask_fields(language, message)[str(element)])  # type: ignore[arg-type]
    assert str(element) not in mask_parts(language, message)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("203", "6100" + "00" + "000000000100" + "156"),
        ("204", "7100" + "11" + "000000000100" + "156" + "10"),
        ("360", "1260" + "14" + "02112345678".ljust(14)),
    ],
)
def test_unionpay_upload_details_and_parameters_are_shown(code: str, text: str) -> None:
    mti = "0810" if code == "360" else "0320"
    message = Message(mti, {60: f"00000001{code}", 62: text.encode().hex().upper()})

    assert message.fields[62] == mask_fields(UNIONPAY, message)["62"]
    assert "62" in mask_parts(UNIONPAY, message)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"CUP{CARD}", "CUP622202*********0125"),
        ("CUP6222020000000000128", "CUP*******************"),
        ("CUP 6222 0200 0000 0000 125 end", "CUP *********************** end"),
        (f"CUP;{CARD}=30122010000000?x", f"CUP;{'*' * 34}?x"),
        (f"CUPB{CARD}^DOE/JOHN^3012", f"CUPB{'*' * 33}"),
        ("CUP 00010000, 123456789012", "CUP 00010000, 123456789012"),
        ("CUP" + "1" * 40, "CUP" + "*" * 40),
    ],
)
def test_long_digits_in_free_text_are_masked(text: str, shown: str) -> None:
    assert shown == mask_fields(UNIONPAY, Message("0210", {63: text}))["63"]


def test_bytes_in_a_text_element_are_hidden() -> None:
    assert {"63": "*" * 10} == mask_fields(UNIONPAY, Message("0210", {63: "hex:FFFE31"}))


def test_a_card_number_is_masked_wherever_the_message_repeats_it() -> None:
    message = Message("0200", {2: CARD, 57: f"x{CARD}y", 61: CARD + "0000000000", 64: CARD[:16]})

    assert {
        "2": "622202*********0125",
        "57": "x622202*********0125y",
        "61": "622202*********01250000000000",
        "64": "*" * 16,
    } == mask_fields(UNIONPAY, message)
    assert {} == mask_parts(UNIONPAY, message)


def test_the_card_is_known_from_track_and_chip_too() -> None:
    for fields in ({35: f"{CARD}D3012"}, {36: f"99{CARD}D3012"}, {55: f"5A0A{CARD}F"}, {55: f"570C{CARD}D3012"}):
        shown = mask_fields(UNIONPAY, Message("0200", {**fields, 61: CARD}))
        assert "622202*********0125" == shown["61"]


@pytest.mark.parametrize("code", ["ascii", "cp500"])
def test_a_card_number_in_the_hex_of_its_characters_is_hidden(code: str) -> None:
    for digits in (CARD.encode(code).hex(), CARD.encode(code).hex().upper()):
        assert "x" + "*" * 38 == mask_fields(UNIONPAY, Message("0200", {57: f"x{digits}"}))["57"]
        assert digits not in mask_fields(UNIONPAY, Message("0200", {2: CARD, 57: f"x{digits[:24]}"}))["57"]


def test_a_card_number_cut_short_is_recognised() -> None:
    assert "*" * 12 == mask_fields(UNIONPAY, Message("0200", {2: CARD, 61: CARD[:12]}))["61"]


def test_an_element_the_dialect_does_not_know_is_hidden() -> None:
    message = Message("0200", {120: "abc"})

    assert {"120": "***"} == mask_fields(UNIONPAY, message)
    assert {} == mask_parts(UNIONPAY, message)
