"""What chip data objects say."""

import pytest

from pos_host.decoding.chip_wording import chip_value_in_words


@pytest.mark.parametrize(
    ("tag", "value", "words"),
    [
        ("9F27", "80", "ARQC: the issuer is asked"),
        ("9F27", "40", "TC: approved offline"),
        ("9F27", "00", "AAC: declined"),
        ("9A", "260302", "2026-03-02"),
        ("9A", "26030A", ""),
        ("5F24", "291231", "2029-12-31"),
        ("9F02", "000000001234", "12.34 CNY"),
        ("5F2A", "0156", "CNY"),
        ("5F2A", "0001", ""),
        ("9F34", "420300", "PIN checked online, enciphered"),
        ("9F34", "1E0300", "signature"),
        ("95", "0000000000", "nothing to report"),
        ("95", "0040048000", "expired application, online PIN entered, amount over the floor limit"),
        ("50", "56495341", "VISA"),
        ("50", "FFFE", ""),
        ("9F26", "0102030405060708", ""),
        ("9A", "******", ""),
        ("9F02", "************", ""),
        ("9A", "", ""),
    ],
)
def test_a_value_is_put_into_words(tag: str, value: str, words: str) -> None:
    assert words == chip_value_in_words(tag, value, {"5F2A": "0156"})


def test_an_amount_without_a_currency_is_counted_in_minor_units() -> None:
    assert "1234 minor units" == chip_value_in_words("9F02", "000000001234", {})
