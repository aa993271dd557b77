"""BER-TLV of chip data, and the names of its tags."""

import pytest

from pos_specs.emv_tags import is_hidden, tag_name
from pos_specs.tlv import TlvError, build_tlv, parse_tlv


@pytest.mark.parametrize(
    ("data", "pairs"),
    [
        ("", []),
        ("82027C00", [("82", "7C00")]),
        ("9F2701809A03260302", [("9F27", "80"), ("9A", "260302")]),
        ("DF81290100", [("DF8129", "00")]),
        ("9500", [("95", "")]),
        ("7181" + "80" + "11" * 128, [("71", "11" * 128)]),
        ("718200" + "03" + "112233", [("71", "112233")]),
    ],
)
def test_tags_and_values_are_read_in_order(data: str, pairs: list[tuple[str, str]]) -> None:
    assert pairs == parse_tlv(bytes.fromhex(data))


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535])
def test_a_value_of_any_length_is_written_and_read_again(size: int) -> None:
    pairs = [("9F10", "AB" * size), ("95", "00")]

    assert pairs == parse_tlv(build_tlv(pairs))


@pytest.mark.parametrize(
    ("data", "offset", "read"),
    [
        ("82", 0, []),
        ("9F", 0, []),
        ("DF81", 0, []),
        ("82037C00", 0, []),
        ("82027C009F2608", 4, [("82", "7C00")]),
        ("8280", 0, []),
        ("8284", 0, []),
        ("828111", 0, []),
    ],
)
def test_bytes_that_are_no_tlv_are_refused_where_they_begin(
    data: str, offset: int, read: list[tuple[str, str]]
) -> None:
    with pytest.raises(TlvError) as caught:
        parse_tlv(bytes.fromhex(data))

    assert (offset, read) == (caught.value.offset, caught.value.read)


def test_tags_have_names_and_those_with_card_data_are_hidden() -> None:
    assert ("application cryptogram", False) == (tag_name("9F26"), is_hidden("9F26"))
    assert ("application PAN", True) == (tag_name("5A"), is_hidden("5A"))


def test_a_tag_that_nobody_knows_has_no_name_and_is_hidden() -> None:
    assert (None, True) == (tag_name("DF7F"), is_hidden("DF7F"))
