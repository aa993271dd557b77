"""Settlement as Hypercom terminals do it: totals in DE63, the whole batch on 95, a trailer."""

import pytest
from tests.unit.terminal.scripted_host import ScriptedHost, a_terminal, carry_out

from pos_specs.totals import Side, parse_hypercom
from pos_terminal.applications import application_for
from pos_terminal.applications.application import NoSuchTotals
from pos_terminal.cards import TEST_CARDS
from pos_terminal.commands import Purchase, Refund, Reverse, Settle, Void
from pos_terminal.states import NotNow, State
from pos_terminal.terminal import Terminal

CUP, VISA = TEST_CARDS["unionpay"], TEST_CARDS["visa"]
SEND_BATCH: dict[int, str | None] = {39: "95"}


def traded(totals_digits: int | None = None) -> tuple[Terminal, ScriptedHost]:
    """Three sales (one voided, one reversed) and a refund."""
    terminal, host = a_terminal("hypercom", totals_digits=totals_digits), ScriptedHost("hypercom")
    for amount_minor in (1000, 2000, 4000):
        carry_out(terminal, host, Purchase(CUP, amount_minor, "156"))
    carry_out(terminal, host, Void("000001"))
    carry_out(terminal, host, Refund(VISA, 500, "156"))
    carry_out(terminal, host, Reverse("000003"))
    host.requests.clear()
    return terminal, host


def totals_of(host: ScriptedHost, function: str) -> dict[str, Side]:
    text = host.of(function)[-1].fields[63]
    return parse_hypercom(text, host.language.dialect.totals_groups)


def test_voided_and_reversed_sales_count_in_no_group_nor_does_the_void() -> None:
    terminal, host = traded()

    carry_out(terminal, host, Settle())

    totals = totals_of(host, "settlement")
    assert (Side(1, 2000), Side(1, 500), Side(0, 0)) == (
        totals["sales"],
        totals["refunds"],
        totals["debit_sales"],
    )
    assert "000001" == host.requests[0].fields[60]


@pytest.mark.parametrize("digits", [90, 60, 30, 15])
def test_totals_have_as_many_groups_as_configured(digits: int) -> None:
    terminal, host = traded(digits)

    carry_out(terminal, host, Settle())

    assert digits == len(host.requests[0].fields[63])


def test_totals_of_another_length_are_refused() -> None:
    with pytest.raises(NoSuchTotals, match="not 45"):
        application_for(ScriptedHost("hypercom").language, 45)


def test_00_closes_the_batch_without_more_words() -> None:
    terminal, host = traded()

    result = carry_out(terminal, host, Settle())

    assert ["settlement"] == host.functions()
    assert result.closed is not None
    assert ("000001", "balanced") == (result.closed.batch_number, result.closed.result)
    assert ("000002", []) == (terminal.memory.batch_number, terminal.memory.log)


def test_95_uploads_every_record_that_counts_and_then_sends_the_trailer() -> None:
    terminal, host = traded()
    host.will("settlement", SEND_BATCH)

    result = carry_out(terminal, host, Settle())

    sale, refund, trailer = host.requests[1:]
    assert ("000001", "0200000002000000000002", "000000002000") == (
        sale.fields[3],
        sale.fields[60],
        sale.fields[4],
    )
    assert ("200001", "0200000005000000000005", "000000000500") == (
        refund.fields[3],
        refund.fields[60],
        refund.fields[4],
    )
    assert ("0500", "960000", "000001") == (trailer.mti, trailer.fields[3], trailer.fields[60])
    assert result.closed is not None
    assert "balanced_after_upload" == result.closed.result


def test_the_trailers_totals_are_worked_out_again_from_the_log() -> None:
    terminal, host = traded()
    host.will("settlement", SEND_BATCH)

    carry_out(terminal, host, Settle(leave_out="000002"))

    assert Side(0, 0) == totals_of(host, "settlement")["sales"]
    assert Side(1, 2000) == totals_of(host, "batch_upload_end")["sales"]


@pytest.mark.parametrize("code", ["77", "95"])
def test_a_trailer_that_does_not_balance_closes_the_batch_all_the_same(code: str) -> None:
    terminal, host = traded()
    host.will("settlement", SEND_BATCH)
    host.will("batch_upload_end", {39: code})

    result = carry_out(terminal, host, Settle())

    assert result.closed is not None
    assert ("out_of_balance", "000002") == (result.closed.result, terminal.memory.batch_number)


def test_a_trailer_answered_otherwise_keeps_the_batch() -> None:
    terminal, host = traded()
    host.will("settlement", SEND_BATCH)
    host.will("batch_upload_end", {39: "58"})

    result = carry_out(terminal, host, Settle())

    assert (False, "58", State.UPLOAD_PENDING) == (result.answered, result.code, terminal.state)


def test_80_keeps_the_batch_and_is_reported() -> None:
    terminal, host = traded()
    host.will("settlement", {39: "80"})

    result = carry_out(terminal, host, Settle())

    assert (False, "80", 5) == (result.answered, result.code, len(terminal.memory.log))
    assert carry_out(terminal, host, Purchase(CUP, 1, "156")).approved


def test_an_unanswered_settlement_blocks_sales_until_it_is_answered() -> None:
    terminal, host = traded()
    host.will("settlement", None)
    carry_out(terminal, host, Settle())

    with pytest.raises(NotNow):
        terminal.begin(Purchase(CUP, 1, "156"))
    assert carry_out(terminal, host, Settle()).closed is not None


def test_declared_totals_stand_in_for_a_log_that_is_not_there() -> None:
    terminal, host = a_terminal("hypercom"), ScriptedHost("hypercom")

    carry_out(terminal, host, Settle(declared=(Side(3, 900), Side(1, 100))))

    totals = totals_of(host, "settlement")
    assert (Side(3, 900), Side(1, 100)) == (totals["sales"], totals["refunds"])
