"""Elements cut into their parts, and paths like `60.batch_number` read from messages."""

import pytest

from pos_specs.dialect import Condition
from pos_specs.language import open_language
from pos_specs.message import Message

UNIONPAY = open_language("unionpay")
HYPERCOM = open_language("hypercom")
ISO87 = open_language("iso87-ascii")


def test_a_digit_element_is_cut_by_places() -> None:
    message = Message("0200", {60: "22000001000600"})

    assert UNIONPAY.parts.of(message, 60) == {
        "message_type": "22",
        "batch_number": "000001",
        "network_code": "000",
        "terminal_capability": "6",
        "ic_condition": "0",
        "partial_approval": "0",
    }


def test_trailing_parts_may_be_missing() -> None:
    assert {"message_type": "00", "batch_number": "000001"} == UNIONPAY.parts.of(Message("0800", {60: "00000001"}), 60)


def test_an_absent_element_and_one_without_layout_have_no_parts() -> None:
    message = Message("0200", {4: "000000000100"})

    assert UNIONPAY.parts.of(message, 60) is None
    assert UNIONPAY.parts.of(message, 4) is None


def test_records_are_a_list_and_what_is_left_over_is_unparsed() -> None:
    records = "00" + "000123" + "00006222020000000000" + "000000012345"
    message = Message("0320", {48: "02" + records + "01" + "000124", 60: "00000001201"})

    assert {
        "record_count": "02",
        "records": [{"card_class": "00", "stan": "000123", "pan": "00006222020000000000", "amount": "000000012345"}],
        "unparsed": "01000124",
    } == UNIONPAY.parts.of(message, 48)


def test_the_layout_depends_on_the_message() -> None:
    totals = "000000012345003" + "000000000000000" + "1"
    as_settlement = UNIONPAY.parts.of(Message("0510", {48: totals, 60: "00000001201"}), 48)
    as_end_of_upload = UNIONPAY.parts.of(Message("0320", {48: "0004", 60: "00000001207"}), 48)

    assert as_settlement is not None
    assert ("000000012345", "003", "1") == (
        as_settlement["domestic_debit_amount"],
        as_settlement["domestic_debit_count"],
        as_settlement["domestic_code"],
    )
    assert {"record_count": "0004"} == as_end_of_upload


def test_chip_data_are_parts_by_tag() -> None:
    assert {"9F26": "1122334455667788", "82": "7C00"} == UNIONPAY.parts.of(
        Message("0200", {55: "9F2608112233445566778882027C00"}), 55
    )


def test_chip_data_that_break_off_are_unparsed_from_there() -> None:
    assert {"82": "7C00", "unparsed": "9F26081122"} == UNIONPAY.parts.of(
        Message("0200", {55: "82027C009F26081122"}), 55
    )


def test_parts_of_chinese_text_are_counted_in_bytes() -> None:
    issuer = "中国工商银行".encode("gbk").ljust(20).decode("gbk")
    message = Message("0210", {63: f"CUP{issuer}{'受理成功'}"})

    assert {"card_organisation": "CUP", "issuer_text": "中国工商银行        ", "unionpay_text": "受理成功"} == (
        UNIONPAY.parts.of(message, 63)
    )


def test_bytes_that_are_no_text_are_cut_as_bytes() -> None:
    value = b"CUP" + bytes(range(0xF0, 0x100)) + b"    text"
    message = UNIONPAY.decode(UNIONPAY.encode(Message("0210", {63: "hex:" + value.hex().upper()})))

    parts = UNIONPAY.parts.of(message, 63)

    assert parts is not None
    assert ("CUP", "text") == (parts["card_organisation"], parts["unionpay_text"])
    assert parts["issuer_text"] == "hex:F0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF20202020"


PARAMETERS = "1260" + "22中文商户".encode("gbk").ljust(42).decode("gbk")


def test_tagged_parameters_are_named_and_their_bytes_are_hex() -> None:
    data = PARAMETERS.encode("gbk") + b"26" + bytes.fromhex("FF00A081")
    message = Message("0810", {60: "00000001360", 62: data.hex().upper()})

    assert {
        "timeout_seconds": "60",
        "merchant_name": "中文商户" + " " * 32,
        "supported_transactions": "FF00A081",
    } == UNIONPAY.parts.of(message, 62)


def test_a_tag_that_nobody_knows_ends_the_parameters() -> None:
    message = Message("0810", {60: "00000001360", 62: b"126099rest".hex().upper()})

    assert {"timeout_seconds": "60", "unparsed": "99rest"} == UNIONPAY.parts.of(message, 62)


def test_keys_in_a_binary_element_are_cut_as_bytes() -> None:
    message = Message("0810", {60: "00000001003", 62: "11" * 16 + "22" * 4 + "33" * 16 + "44" * 4})

    assert {"pin_key": "11" * 16, "pin_key_check": "22" * 4, "mac_key": "33" * 16, "mac_key_check": "44" * 4} == (
        UNIONPAY.parts.of(message, 62)
    )


def test_keys_in_a_text_element_are_upper_case_hex() -> None:
    value = "\x00\x10" + "k" * 8 + "\xfe" * 8 + "SHOP".ljust(23)
    parts = HYPERCOM.parts.of(Message("0810", {62: value}), 62)

    assert {
        "key_length": "0010",
        "pin_key": "6B" * 8,
        "mac_key": "FE" * 8,
        "merchant_line_1": "SHOP".ljust(23),
    } == parts


def test_hypercom_tables_are_named_by_their_identifier() -> None:
    value = "\x00\x1222" + "APPROVED        " + "\x00\x06KP" + "\xff" * 4 + "\x00\x05ZZabc"

    assert {"response_text": "APPROVED        ", "pin_key": "FF" * 4, "table_ZZ": "abc"} == {
        {"alternate_response_text": "response_text"}.get(name, name): part
        for name, part in (HYPERCOM.parts.of(Message("0210", {63: value.replace("\x12", "\x18")}), 63) or {}).items()
    }


@pytest.mark.parametrize("value", ["\x00\x1222short", "\x00\x0122", "\xff\xff22", "abc", "\x00\x03\x01\x02x"])
def test_tables_that_do_not_fit_are_unparsed(value: str) -> None:
    assert {"unparsed": value} == HYPERCOM.parts.of(Message("0210", {63: value}), 63)


def test_a_path_reads_an_element_a_part_or_a_length() -> None:
    message = Message("0200", {37: "123456789012", 60: "22000001000600"})
    get = UNIONPAY.parts.getter

    assert "123456789012" == get("37")(message)
    assert "000001" == get("60.batch_number")(message)
    assert "14" == get("60.length")(message)


def test_a_path_to_what_is_not_there_gives_nothing() -> None:
    message = Message("0200", {60: "2200"})
    get = UNIONPAY.parts.getter

    assert (None, None, None) == (get("37")(message), get("37.length")(message), get("60.batch_number")(message))


def test_a_path_into_chinese_text_counts_bytes() -> None:
    get = UNIONPAY.parts.getter("63.unionpay_text")

    assert "text" == get(Message("0210", {63: "CUP" + "中国" + " " * 16 + "text"}))
    assert "text" == get(Message("0210", {63: "CUP" + " " * 20 + "text"}))


def test_a_path_into_a_binary_element_counts_bytes() -> None:
    message = Message("0830", {60: "00000001372", 62: "31" + "9F0605A000000333"})

    assert "31" == UNIONPAY.parts.getter("62.list_state")(message)


def test_lengths_count_what_the_counter_counts() -> None:
    lengths = {
        "2": UNIONPAY.parts.getter("2.length")(Message("0200", {2: "622202"})),
        "62": UNIONPAY.parts.getter("62.length")(Message("0200", {62: "0011"})),
        "63": UNIONPAY.parts.getter("63.length")(Message("0200", {63: "中文ab"})),
        "63 raw": UNIONPAY.parts.getter("63.length")(Message("0200", {63: "hex:FFFFFF"})),
        "latin": HYPERCOM.parts.getter("60.length")(Message("0200", {60: "\xff\xff"})),
    }

    assert {"2": "6", "62": "2", "63": "6", "63 raw": "3", "latin": "2"} == lengths


def test_in_a_pattern_x_stands_for_any_character() -> None:
    holds = ISO87.parts.predicate(Condition((("3", ("00xxxx", "310000")),)))

    assert holds(Message("0200", {3: "003000"}))
    assert holds(Message("0200", {3: "310000"}))
    assert not holds(Message("0200", {3: "311000"}))
    assert not holds(Message("0200", {}))


POSTILION = open_language("postilion")
BITMAP_2_3_10 = "6040000000000000"
SWITCH_KEY, ROUTING, CVV2 = b"05key-1", b"r" * 48, b"123"


def nested(*pieces: bytes, bitmap: str = BITMAP_2_3_10) -> Message:
    return Message("0200", {127: (bytes.fromhex(bitmap) + b"".join(pieces)).hex().upper()})


def test_a_message_within_an_element_is_cut_by_its_bitmap() -> None:
    message = nested(SWITCH_KEY, ROUTING, CVV2)

    assert {"switch_key": "key-1", "routing_information": "r" * 48, "cvv2": "123"} == POSTILION.parts.of(message, 127)


def test_a_message_within_may_have_a_second_bitmap() -> None:
    message = nested(SWITCH_KEY, bitmap="C000000000000000" + "0" * 16)

    assert {"switch_key": "key-1"} == POSTILION.parts.of(message, 127)


@pytest.mark.parametrize(
    ("message", "read", "rest"),
    [
        (nested(SWITCH_KEY, ROUTING, CVV2, b"more"), ["switch_key", "routing_information", "cvv2"], b"more"),
        (nested(SWITCH_KEY, b"r" * 47), ["switch_key"], b"r" * 47),
        (nested(b"33" + b"k" * 33, bitmap="4000000000000000"), [], b"33" + b"k" * 33),
        (nested(b"+1k", bitmap="4000000000000000"), [], b"+1k"),
        (nested(b"????", bitmap="0000000000000001"), [], b"????"),
        (nested(bitmap="40"), [], b"\x40"),
        (nested(bitmap="C000000000000000"), [], bytes.fromhex("C000000000000000")),
    ],
)
def test_what_a_message_within_does_not_say_is_left_over(message: Message, read: list[str], rest: bytes) -> None:
    parts = POSTILION.parts.of(message, 127)

    assert parts is not None
    assert [*read, "unparsed"] == list(parts)
    assert rest.hex().upper() == parts["unparsed"]


def test_what_travels_in_a_message_within_stays_hidden() -> None:
    from pos_specs.masking import mask_fields, mask_parts

    message = nested(SWITCH_KEY, ROUTING, CVV2)

    assert set("*") == set(mask_fields(POSTILION, message)["127"])
    assert "123" not in str(mask_parts(POSTILION, message))


def ca_keys(data: bytes) -> dict[str, object] | None:
    message = Message("0830", {60: "00000001372", 62: data.hex().upper()})
    return UNIONPAY.parts.of(message, 62)


def test_tags_behind_a_part_are_parts_too() -> None:
    assert {"list_state": "31", "9F06": "A000000333", "9F22": "01"} == ca_keys(
        b"1" + bytes.fromhex("9F0605A0000003339F220101")
    )


def test_a_tag_that_comes_again_begins_a_record() -> None:
    listed = bytes.fromhex("9F0605A0000003339F220101" + "9F0605A0000000039F220195")

    assert {
        "list_state": "32",
        "records": [{"9F06": "A000000333", "9F22": "01"}, {"9F06": "A000000003", "9F22": "95"}],
    } == ca_keys(b"2" + listed)


def test_what_is_no_tlv_behind_a_part_is_left_over() -> None:
    assert {"list_state": "31", "9F22": "01", "unparsed": "9F06"} == ca_keys(b"1" + bytes.fromhex("9F2201019F06"))
    assert {"list_state": "30"} == ca_keys(b"0")
    assert {} == ca_keys(b"")
