"""Purchases, voids, refunds: what goes out, what is kept."""

import pytest
from tests.unit.terminal.scripted_host import ScriptedHost, a_terminal, carry_out

from pos_terminal.batch_log import NotInLog
from pos_terminal.cards import TEST_CARDS
from pos_terminal.commands import Manage, Purchase, Refund, Void, VoidUnlogged
from pos_terminal.requests import NoSuchFunction
from pos_terminal.states import NotNow, State
from pos_terminal.transaction import MANUAL, Original

DIALECTS = ["unionpay", "hypercom", "iso87-ascii"]
CUP, VISA = TEST_CARDS["unionpay"], TEST_CARDS["visa"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_approved_purchase_enters_the_log(dialect: str) -> None:
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)

    result = carry_out(terminal, host, Purchase(CUP, 1234, "156"))

    assert (True, True, "00") == (result.answered, result.approved, result.code)
    assert [("purchase", "000001", 1234, "000000000001")] == [
        (t.function, t.stan, t.amount_minor, t.rrn) for t in terminal.memory.log
    ]
    assert terminal.memory.unfinished is None


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_declined_purchase_leaves_nothing_behind(dialect: str) -> None:
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)
    host.will("purchase", {39: "51", 38: None})

    result = carry_out(terminal, host, Purchase(CUP, 1234, "156"))

    assert (True, False, "51") == (result.answered, result.approved, result.code)
    assert [] == terminal.memory.log
    assert State.IDLE == terminal.state


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_void_marks_its_purchase_and_is_logged_itself(dialect: str) -> None:
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)
    carry_out(terminal, host, Purchase(CUP, 1234, "156"))

    carry_out(terminal, host, Void("000001"))

    assert [("purchase", True), ("purchase_void", False)] == [(t.function, t.voided) for t in terminal.memory.log]


def test_a_unionpay_void_names_batch_stan_and_reference_of_its_purchase() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    carry_out(terminal, host, Manage("sign_in"))
    carry_out(terminal, host, Purchase(CUP, 1234, "156"))

    carry_out(terminal, host, Void("000002"))

    sent = host.of("purchase_void")[0].fields
    assert ("000001000002", "000000000002", "2300000100050") == (sent[61], sent[37], sent[60])


def test_a_unionpay_refund_names_the_date_and_the_organisation_too() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    carry_out(terminal, host, Purchase(VISA, 1234, "156"))
    purchase = terminal.memory.log[0]

    carry_out(terminal, host, Refund(VISA, 500, "156", purchase.as_original()))

    request = host.of("refund")[0]
    assert ("0220", "0000010000010302", "VIS") == (request.mti, request.fields[61], request.fields[63])


def test_a_hypercom_void_carries_invoice_and_amount_of_its_purchase() -> None:
    terminal, host = a_terminal("hypercom"), ScriptedHost("hypercom")
    carry_out(terminal, host, Purchase(CUP, 1234, "156"))

    carry_out(terminal, host, Void("000001"))

    sent = host.of("purchase_void")[0].fields
    assert ("000001", "000000001234", "020000") == (sent[62], sent[60], sent[3])


def test_an_iso87_void_names_its_purchase_in_element_90() -> None:
    terminal, host = a_terminal("iso87-ascii"), ScriptedHost("iso87-ascii")
    carry_out(terminal, host, Purchase(CUP, 1234, "156"))

    carry_out(terminal, host, Void("000001"))

    assert "0200" + "000001" + "0302201530" + "0" * 22 == host.of("purchase_void")[0].fields[90]


@pytest.mark.parametrize(("dialect", "separator"), [("unionpay", "D"), ("hypercom", "D"), ("iso87-ascii", "=")])
def test_a_swiped_card_is_sent_as_track_2_alone(dialect: str, separator: str) -> None:
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)

    carry_out(terminal, host, Purchase(CUP, 1, "156"))

    assert 2 not in host.requests[0].fields
    assert host.requests[0].fields[35].startswith(f"{CUP.pan}{separator}4912201")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_keyed_card_is_sent_as_number_and_expiry(dialect: str) -> None:
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)

    carry_out(terminal, host, Purchase(VISA, 1, "156", MANUAL))

    sent = host.requests[0].fields
    assert (VISA.pan, "4912", "012", False) == (sent[2], sent[14], sent[22], 35 in sent)


def test_stan_and_invoice_begin_again_after_999999() -> None:
    terminal, host = a_terminal("hypercom"), ScriptedHost("hypercom")
    terminal.memory.stan = terminal.memory.invoice = 999_998

    for _ in range(3):
        carry_out(terminal, host, Purchase(CUP, 1, "156"))

    assert ["999999", "000001", "000002"] == [r.fields[11] for r in host.requests]
    assert ["999999", "000001", "000002"] == [r.fields[62] for r in host.requests]


def test_a_hypercom_currency_other_than_the_dialects_is_named() -> None:
    terminal, host = a_terminal("hypercom"), ScriptedHost("hypercom")

    carry_out(terminal, host, Purchase(CUP, 1, "156"))
    carry_out(terminal, host, Purchase(CUP, 1, "840"))

    assert [None, "840"] == [r.fields.get(49) for r in host.requests]


def test_the_batch_number_of_a_unionpay_sign_in_is_adopted() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    host.will("sign_in", {60: "00000519001"})

    carry_out(terminal, host, Manage("sign_in"))

    assert "000519" == terminal.memory.batch_number


@pytest.mark.parametrize("number", ["999999", "000000"])
def test_a_batch_number_that_terminals_ignore_is_not_adopted(number: str) -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    host.will("sign_in", {60: f"00{number}001"})

    carry_out(terminal, host, Manage("sign_in"))

    assert "000001" == terminal.memory.batch_number


def test_after_77_the_terminal_signs_in_before_it_trades_again() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    host.will("purchase", {39: "77"})
    host.will("sign_in", {60: "00000008001"})
    carry_out(terminal, host, Purchase(CUP, 1, "156"))

    result = carry_out(terminal, host, Purchase(CUP, 2, "156"))

    assert ["purchase", "sign_in", "purchase"] == host.functions()
    assert result.approved
    assert "000008" == terminal.memory.log[0].batch_number


@pytest.mark.parametrize("answer", [None, {39: "97"}])
def test_without_that_sign_in_it_does_not_trade(answer: dict[int, str | None] | None) -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    host.will("purchase", {39: "77"})
    host.will("sign_in", answer)
    carry_out(terminal, host, Purchase(CUP, 1, "156"))

    result = carry_out(terminal, host, Purchase(CUP, 2, "156"))

    assert not result.answered
    assert ["purchase", "sign_in"] == host.functions()


def test_an_amount_approved_in_part_is_the_one_that_counts() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    host.will("purchase", {39: "10", 4: "000000000400"})

    carry_out(terminal, host, Purchase(CUP, 1000, "156"))

    assert [400] == [t.amount_minor for t in terminal.memory.log]


@pytest.mark.parametrize(
    "wrong",
    [{11: "999999"}, {3: "310000"}, {41: "T0000002"}, {4: "000000000001"}, {39: None}, {42: "898000000000009"}],
)
def test_an_answer_that_does_not_fit_counts_as_none(wrong: dict[int, str | None]) -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    host.will("purchase", wrong)

    result = carry_out(terminal, host, Purchase(CUP, 1234, "156"))

    assert not result.answered
    assert State.REVERSAL_PENDING == terminal.state


def test_an_answer_of_another_type_does_not_end_the_wait() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    terminal.begin(Purchase(CUP, 1234, "156"))
    request = terminal.next_request()
    assert request is not None
    answer = host.answer(request)
    assert answer is not None
    answer.mti = "0410"

    assert terminal.receive(answer) is None
    assert State.WAITING_ANSWER == terminal.state


def test_an_echo_without_stan_is_answered() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")

    result = carry_out(terminal, host, Manage("echo"))

    assert result.approved
    assert {41, 42, 60} == host.requests[0].fields.keys()


def test_a_function_the_dialect_lacks_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(NoSuchFunction, match="hypercom has no sign_off"):
        a_terminal("hypercom").begin(Manage("sign_off"))


def test_a_purchase_is_not_voided_twice_unless_forced() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    carry_out(terminal, host, Purchase(CUP, 1, "156"))
    carry_out(terminal, host, Void("000001"))
    host.will("purchase_void", {39: "12"})

    with pytest.raises(NotInLog, match="already voided"):
        terminal.begin(Void("000001"))
    assert "12" == carry_out(terminal, host, Void("000001", force=True)).code


def test_only_purchases_of_the_log_can_be_voided() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    carry_out(terminal, host, Purchase(CUP, 1, "156"))
    carry_out(terminal, host, Void("000001"))

    with pytest.raises(NotInLog, match="not a purchase"):
        terminal.begin(Void("000002"))
    with pytest.raises(NotInLog, match="no transaction 000009"):
        terminal.begin(Void("000009"))


def test_a_purchase_that_left_the_log_is_voided_by_what_is_known_of_it() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    original = Original(stan="000044", rrn="000000000777", batch_number="000003")

    carry_out(terminal, host, VoidUnlogged(CUP, 1234, "156", original))

    sent = host.requests[0].fields
    assert ("000003000044", "000000000777", "000000001234") == (sent[61], sent[37], sent[4])


def test_a_full_batch_takes_no_more() -> None:
    terminal, host = a_terminal("hypercom"), ScriptedHost("hypercom")
    carry_out(terminal, host, Purchase(CUP, 1, "156"))
    terminal.memory.log *= 999

    with pytest.raises(NotNow, match="settle first"):
        terminal.begin(Purchase(CUP, 1, "156"))


def test_one_command_at_a_time() -> None:
    terminal = a_terminal("unionpay")
    terminal.begin(Purchase(CUP, 1, "156"))
    terminal.next_request()

    with pytest.raises(NotNow, match="waiting_answer"):
        terminal.begin(Purchase(CUP, 1, "156"))
