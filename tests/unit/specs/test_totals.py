"""Settlement totals in the three forms of the wire."""

import pytest

from pos_specs.message import Message
from pos_specs.totals import (
    ISO87_GROUPS,
    NOTHING,
    Side,
    net_settlement,
    parse_hypercom,
    parse_iso87,
    parse_unionpay,
    write_hypercom,
    write_iso87,
    write_unionpay,
)

HYPERCOM_GROUPS = ("sales", "refunds", "debit_sales")

DE48 = "000000012345003" + "000000000500001" + "1" + "000000000000000" + "000000000000000" + "2"


def test_unionpay_totals_are_amount_and_count_of_four_groups() -> None:
    assert {
        "domestic_debit": Side(3, 12345),
        "domestic_credit": Side(1, 500),
        "foreign_debit": NOTHING,
        "foreign_credit": NOTHING,
    } == parse_unionpay(DE48)


def test_unionpay_totals_may_end_after_the_domestic_half() -> None:
    assert {"domestic_debit": Side(3, 12345), "domestic_credit": Side(1, 500)} == parse_unionpay(DE48[:31])


def test_unionpay_totals_are_written_as_they_are_read() -> None:
    assert DE48 == write_unionpay(parse_unionpay(DE48), ("1", "2"))
    assert DE48[:31] == write_unionpay(parse_unionpay(DE48), ("1", "2"), digits=31)


@pytest.mark.parametrize("value", ["", "0" * 30, "0" * 61, "0" * 30 + "X", "0" * 62 + "0"])
def test_what_is_no_unionpay_totals_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="instead of 62 or 31 digits"):
        parse_unionpay(value)


def test_hypercom_totals_are_count_and_amount_of_the_groups_sent() -> None:
    value = "003000000012345" + "001000000000500"

    assert {"sales": Side(3, 12345), "refunds": Side(1, 500)} == parse_hypercom(value, HYPERCOM_GROUPS)
    assert value == write_hypercom(parse_hypercom(value, HYPERCOM_GROUPS), HYPERCOM_GROUPS[:2])
    assert value + "0" * 15 == write_hypercom(parse_hypercom(value, HYPERCOM_GROUPS), HYPERCOM_GROUPS)


@pytest.mark.parametrize("value", ["0" * 14, "0" * 16, "0" * 60, "00300000001234D", "٠" * 15])
def test_what_is_no_hypercom_totals_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="not up to 3 groups of 15 digits"):
        parse_hypercom(value, HYPERCOM_GROUPS)


def test_iso_totals_stand_in_elements_of_their_own_and_absent_ones_are_zero() -> None:
    message = Message("0500", {74: "0000000001", 76: "0000000003", 86: f"{500:016d}", 88: f"{12345:016d}"})

    assert {
        "credits": Side(1, 500),
        "credits_reversal": NOTHING,
        "debits": Side(3, 12345),
        "debits_reversal": NOTHING,
    } == parse_iso87(message)


def test_iso_totals_are_written_with_the_net_settlement() -> None:
    totals = dict(zip(ISO87_GROUPS, (Side(1, 500), Side(2, 70), Side(3, 12345), Side(4, 9)), strict=True))

    fields = write_iso87(totals)

    assert [74, 75, 76, 77, 86, 87, 88, 89, 97] == list(fields)
    assert "D0000000000011906" == fields[97]
    assert totals == parse_iso87(Message("0500", fields))


def test_nothing_owed_is_a_credit_of_zero() -> None:
    assert "C0000000000000000" == net_settlement({})


@pytest.mark.parametrize("side", [Side(1000, 0), Side(0, 10**12), Side(-1, 0)])
def test_numbers_that_do_not_fit_are_refused(side: Side) -> None:
    with pytest.raises(ValueError, match="does not fit into"):
        write_unionpay({"domestic_debit": side}, ("0", "0"))
    with pytest.raises(ValueError, match="does not fit into"):
        write_hypercom({"sales": side}, HYPERCOM_GROUPS)


def test_batch_numbers_wrap_where_the_dialect_says() -> None:
    from pos_specs.language import open_language

    assert "000001" == open_language("unionpay").dialect.batch.after("999998")
    assert "000002" == open_language("unionpay").dialect.batch.after("000001")
    assert "000001" == open_language("hypercom").dialect.batch.after("999999")
