"""Settlement as UnionPay terminals do it: two halves, code 1, 2 or 3, upload by half, 207 or 202."""

import pytest
from tests.unit.terminal.scripted_host import ScriptedHost, a_terminal, carry_out, with_codes

from pos_specs.totals import Side, parse_unionpay
from pos_terminal.applications import application_for
from pos_terminal.applications.application import NoSuchTotals
from pos_terminal.cards import TEST_CARDS
from pos_terminal.commands import Manage, Purchase, Refund, Reverse, Settle, Void
from pos_terminal.states import NotNow, State
from pos_terminal.terminal import Terminal

CUP, VISA = TEST_CARDS["unionpay"], TEST_CARDS["visa"]
BATCH_202, BATCH_207 = "00000001202", "00000001207"


def traded(totals_digits: int | None = None) -> tuple[Terminal, ScriptedHost]:
    """Three domestic sales (one voided, one refunded in part, one reversed), two foreign ones."""
    terminal, host = a_terminal("unionpay", totals_digits=totals_digits), ScriptedHost("unionpay")
    for card, amount_minor in ((CUP, 1000), (CUP, 2000), (CUP, 4000), (VISA, 8000), (VISA, 16000)):
        carry_out(terminal, host, Purchase(card, amount_minor, "156"))
    carry_out(terminal, host, Void("000001"))
    carry_out(terminal, host, Refund(CUP, 500, "156", terminal.memory.log[1].as_original()))
    carry_out(terminal, host, Reverse("000003"))
    host.requests.clear()
    return terminal, host


def disputed(domestic: str, foreign: str) -> dict[int, str | None]:
    """The 0510 with these codes; the totals in it do not matter to a terminal."""
    return {48: with_codes("0" * 62, domestic, foreign)}


def test_a_voided_sale_stays_in_debit_and_its_void_counts_in_credit() -> None:
    terminal, host = traded()

    carry_out(terminal, host, Settle())

    assert {
        "domestic_debit": Side(2, 3000),
        "domestic_credit": Side(2, 1500),
        "foreign_debit": Side(2, 24000),
        "foreign_credit": Side(0, 0),
    } == parse_unionpay(host.of("settlement")[0].fields[48])


def test_with_31_digits_both_halves_are_settled_together() -> None:
    terminal, host = traded(totals_digits=31)

    result = carry_out(terminal, host, Settle())

    sent = host.of("settlement")[0].fields[48]
    assert 31 == len(sent)
    assert {"domestic_debit": Side(4, 27000), "domestic_credit": Side(2, 1500)} == parse_unionpay(sent)
    assert result.closed is not None


def test_code_1_is_followed_by_the_balanced_end_and_the_next_batch() -> None:
    terminal, host = traded()

    result = carry_out(terminal, host, Settle())

    assert ["settlement", "batch_upload_end"] == host.functions()
    assert (BATCH_207, "0000") == (host.requests[1].fields[60], host.requests[1].fields[48])
    assert result.closed is not None
    assert ("000001", "balanced", 6) == (
        result.closed.batch_number,
        result.closed.result,
        result.closed.records,
    )
    assert ("000002", [], State.IDLE) == (
        terminal.memory.batch_number,
        terminal.memory.log,
        terminal.state,
    )


def test_code_2_in_both_halves_uploads_sales_and_voids_then_refunds_then_the_count() -> None:
    terminal, host = traded()
    host.will("settlement", disputed("2", "2"))

    result = carry_out(terminal, host, Settle())

    details, refund, end = host.requests[1:]
    records = host.language.parts.of(details, 48)
    assert records is not None
    assert [
        ("00", "000001", "000000001000"),
        ("00", "000002", "000000002000"),
        ("01", "000004", "000000008000"),
        ("01", "000005", "000000016000"),
        ("00", "000006", "000000001000"),
    ] == [(r["card_class"], r["stan"], r["amount"]) for r in records["records"]]
    assert {f"{CUP.pan:0>20}", f"{VISA.pan:0>20}"} == {r["pan"] for r in records["records"]}
    assert ("25", "000007", "000000000500", "0000010000020302") == (
        refund.fields[60][:2],
        refund.fields[11],
        refund.fields[4],
        refund.fields[61],
    )
    assert (BATCH_202, "0006") == (end.fields[60], end.fields[48])
    assert result.closed is not None
    assert "balanced_after_upload" == result.closed.result


@pytest.mark.parametrize(
    ("codes", "stans"), [(("2", "1"), {"000001", "000002", "000006"}), (("1", "2"), {"000004", "000005"})]
)
def test_only_the_half_that_differs_is_uploaded(codes: tuple[str, str], stans: set[str]) -> None:
    terminal, host = traded()
    host.will("settlement", disputed(*codes))

    carry_out(terminal, host, Settle())

    records = host.language.parts.of(host.requests[1], 48)
    assert records is not None
    assert stans == {record["stan"] for record in records["records"]}


def test_records_travel_eight_at_a_time() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    for _ in range(17):
        carry_out(terminal, host, Purchase(CUP, 1000, "156"))
    host.requests.clear()
    host.will("settlement", disputed("2", "1"))

    carry_out(terminal, host, Settle())

    assert ["08", "08", "01"] == [request.fields[48][:2] for request in host.of("batch_upload")]
    assert "0017" == host.requests[-1].fields[48]


def test_an_empty_batch_that_does_not_balance_is_ended_at_once() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    host.will("settlement", disputed("2", "2"))

    result = carry_out(terminal, host, Settle())

    assert ["settlement", "batch_upload_end"] == host.functions()
    assert (BATCH_202, "0000") == (host.requests[1].fields[60], host.requests[1].fields[48])
    assert result.closed is not None


@pytest.mark.parametrize(
    "changes", [disputed("3", "3"), disputed("1", "3"), disputed("0", "0"), {39: "30"}, {48: None}]
)
def test_any_other_code_keeps_the_batch(changes: dict[int, str | None]) -> None:
    terminal, host = traded()
    host.will("settlement", changes)

    result = carry_out(terminal, host, Settle())

    assert (False, None) == (result.answered, result.closed)
    assert 7 == len(terminal.memory.log)
    assert State.IDLE == terminal.state


def test_a_settlement_refused_with_77_is_tried_again_after_a_sign_in() -> None:
    terminal, host = traded()
    host.will("settlement", {**disputed("3", "3"), 39: "77"})
    host.will("sign_in", {60: "00000005001"})
    carry_out(terminal, host, Settle())

    result = carry_out(terminal, host, Settle())

    assert result.closed is not None
    assert "000005" == result.closed.batch_number
    assert "000006" == terminal.memory.batch_number


def test_a_left_out_record_is_missing_from_the_totals_but_not_from_the_upload() -> None:
    terminal, host = traded()
    host.will("settlement", disputed("2", "1"))

    carry_out(terminal, host, Settle(leave_out="000002"))

    sent = parse_unionpay(host.of("settlement")[0].fields[48])
    assert Side(1, 1000) == sent["domestic_debit"]
    records = host.language.parts.of(host.requests[1], 48)
    assert records is not None
    assert "000002" in {record["stan"] for record in records["records"]}


def test_declared_totals_stand_in_for_a_log_that_is_not_there() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")

    carry_out(terminal, host, Settle(declared=(Side(3, 900), Side(1, 100))))

    sent = parse_unionpay(host.requests[0].fields[48])
    assert (Side(3, 900), Side(1, 100)) == (sent["domestic_debit"], sent["domestic_credit"])


def test_an_unanswered_settlement_is_sent_again_as_it_was() -> None:
    terminal, host = traded()
    host.will("settlement", None)
    carry_out(terminal, host, Settle())
    assert State.SETTLEMENT_PENDING == terminal.state

    result = carry_out(terminal, host, Settle())

    first, second = host.of("settlement")
    assert first == second
    assert result.closed is not None


def test_nothing_is_sold_before_an_unanswered_settlement_is() -> None:
    terminal, host = traded()
    host.will("settlement", None)
    carry_out(terminal, host, Settle())

    with pytest.raises(NotNow, match="settle first"):
        terminal.begin(Purchase(CUP, 1, "156"))


def test_a_sign_in_between_gives_the_next_batch_number_only_once() -> None:
    terminal, host = traded()
    host.will("settlement", None)
    host.will("sign_in", {60: "00000002001"})
    carry_out(terminal, host, Settle())
    carry_out(terminal, host, Manage("sign_in"))

    carry_out(terminal, host, Settle())

    assert "000002" == terminal.memory.batch_number


def test_the_batch_number_after_999998_is_1() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    terminal.memory.batch_number = "999998"

    carry_out(terminal, host, Settle())

    assert "000001" == terminal.memory.batch_number


@pytest.mark.parametrize("function", ["batch_upload", "batch_upload_end"])
def test_a_host_that_fails_during_the_upload_is_asked_again(function: str) -> None:
    terminal, host = traded()
    host.will("settlement", disputed("2", "1"))
    host.will(function, {39: "96"})

    failed = carry_out(terminal, host, Settle())
    again = carry_out(terminal, host, Settle())

    assert (False, "96", State.IDLE) == (failed.answered, failed.code, terminal.state)
    assert again.closed is not None
    assert 1 == len(host.of("settlement"))


def test_a_refund_of_an_unknown_organisation_counts_as_domestic() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    carry_out(terminal, host, Purchase(VISA, 1000, "156"))
    host.will("refund", {63: "000"})
    carry_out(terminal, host, Refund(VISA, 500, "156", terminal.memory.log[0].as_original()))

    totals = terminal.application.totals(terminal.memory.log)

    assert Side(1, 500) == totals["domestic_credit"]


def test_totals_have_62_or_31_digits() -> None:
    with pytest.raises(NoSuchTotals, match="not 17"):
        application_for(ScriptedHost("unionpay").language, 17)
