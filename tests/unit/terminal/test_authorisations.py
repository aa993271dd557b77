"""Pre-authorisations: made, added to, completed, voided, remembered across batches."""

import pytest
from tests.unit.terminal.scripted_host import ScriptedHost, a_terminal, after_power_cut, carry_out

from pos_terminal.batch_log import NotInLog
from pos_terminal.cards import TEST_CARDS
from pos_terminal.commands import (
    Authorise,
    Complete,
    CompleteUnlogged,
    Reverse,
    Settle,
    Void,
    VoidUnlogged,
)
from pos_terminal.memory import AUTHORISATIONS_KEPT
from pos_terminal.requests import NoSuchFunction
from pos_terminal.states import NotNow, State
from pos_terminal.terminal import Terminal
from pos_terminal.transaction import Original

DIALECTS = ["unionpay", "hypercom", "iso87-ascii"]
CUP, VISA = TEST_CARDS["unionpay"], TEST_CARDS["visa"]
HELD = Authorise(CUP, 10_000, "156")


def reserved(dialect: str) -> tuple[Terminal, ScriptedHost]:
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)
    assert carry_out(terminal, host, HELD).approved
    return terminal, host


def test_a_unionpay_pre_authorisation_is_told_by_condition_code_and_message_type() -> None:
    _, host = reserved("unionpay")

    sent = host.of("auth")[0]
    assert ("0100", "030000", "06", "1000000100050") == (sent.mti, sent.fields[3], sent.fields[25], sent.fields[60])


def test_a_hypercom_pre_authorisation_has_a_processing_code_of_its_own() -> None:
    _, host = reserved("hypercom")

    assert ("300000", "06") == (host.of("auth")[0].fields[3], host.of("auth")[0].fields[25])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_pre_authorisation_is_remembered_but_in_no_batch(dialect: str) -> None:
    terminal, _ = reserved(dialect)

    assert [] == terminal.memory.log
    assert [("auth", "000001", 10_000)] == [
        (t.function, t.rrn[-6:], t.amount_minor) for t in terminal.memory.authorisations
    ]
    assert all(side.count == 0 for side in terminal.application.totals(terminal.memory.log).values())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_completion_takes_the_last_open_one_and_all_of_it(dialect: str) -> None:
    terminal, host = reserved(dialect)
    carry_out(terminal, host, Authorise(VISA, 700, "156"))

    carry_out(terminal, host, Complete(advice=dialect != "unionpay"))

    [sale] = terminal.memory.log
    assert (700, VISA.pan, True) == (sale.amount_minor, sale.pan, sale.sells)
    assert [False, True] == [held.completed for held in terminal.memory.authorisations]


def test_a_unionpay_completion_names_code_batch_stan_and_date() -> None:
    terminal, host = reserved("unionpay")

    carry_out(terminal, host, Complete(9_000))

    sent = host.of("completion")[0].fields
    assert ("000001", "0000010000010302", "000000009000", "2000000100050") == (sent[38], sent[61], sent[4], sent[60])


def test_a_completion_advice_is_an_0220_that_names_the_organisation() -> None:
    terminal, host = reserved("unionpay")

    carry_out(terminal, host, Complete(advice=True))

    sent = host.of("completion_advice")[0]
    assert ("0220", "24", "CUP") == (sent.mti, sent.fields[60][:2], sent.fields[63])


def test_an_unanswered_completion_advice_is_repeated_and_never_reversed() -> None:
    terminal, host = reserved("unionpay")
    host.will("completion_advice", None)
    carry_out(terminal, host, Complete(advice=True))

    carry_out(after := after_power_cut(terminal), host, Reverse())

    assert ["0220", "0221"] == [request.mti for request in host.of("completion_advice")]
    assert [] == host.of("reversal")
    assert ["completion_advice"] == [t.function for t in after.memory.log]
    assert after.memory.authorisations[0].completed


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom"])
def test_what_is_added_raises_the_amount_that_is_completed(dialect: str) -> None:
    terminal, host = reserved(dialect)
    carry_out(terminal, host, Authorise(None, 2_500, "156", addition_to=Original(stan="000001")))

    carry_out(terminal, host, Complete(advice=dialect != "unionpay"))

    added = host.of("auth")[1].fields
    assert ("000001", CUP.pan) == (added[38], added.get(2) or added[35][: len(CUP.pan)])
    assert [12_500] == [t.amount_minor for t in terminal.memory.log]


def test_an_addition_in_unionpay_has_condition_code_60_and_no_element_61() -> None:
    terminal, host = reserved("unionpay")

    carry_out(terminal, host, Authorise(CUP, 100, "156", addition_to=Original(approval_code="000001")))

    sent = host.of("auth")[1].fields
    assert ("60", False) == (sent[25], 61 in sent)


def test_an_addition_to_what_is_not_remembered_needs_card_and_code() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")

    with pytest.raises(NotInLog, match="card and approval code"):
        terminal.begin(Authorise(None, 100, "156", addition_to=Original(approval_code="A1B2C3")))
    carry_out(terminal, host, Authorise(CUP, 100, "156", addition_to=Original(approval_code="A1B2C3")))
    assert "A1B2C3" == host.requests[0].fields[38]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_voided_pre_authorisation_is_given_back_whole_and_cannot_be_completed(dialect: str) -> None:
    terminal, host = reserved(dialect)
    carry_out(terminal, host, Authorise(None, 500, "156", addition_to=Original(stan="000001")))

    carry_out(terminal, host, Void("", function="auth_void"))

    assert "000000010500" == host.of("auth_void")[0].fields[4]
    assert [] == terminal.memory.log
    with pytest.raises(NotInLog, match="no open pre-authorisation"):
        terminal.begin(Complete(advice=dialect != "unionpay"))


def test_a_completed_pre_authorisation_is_not_voided() -> None:
    terminal, host = reserved("unionpay")
    carry_out(terminal, host, Complete())

    with pytest.raises(NotInLog, match="already completed"):
        terminal.begin(Void("000001", function="auth_void"))


def test_the_void_of_a_completion_opens_its_pre_authorisation_again() -> None:
    terminal, host = reserved("unionpay")
    carry_out(terminal, host, Complete(8_000))

    carry_out(terminal, host, Void("", function="completion_void"))

    sent = host.of("completion_void")[0].fields
    assert ("0000010000020302", "000000000002", "06") == (sent[61], sent[37], sent[25])
    assert terminal.memory.authorisations[0].open
    assert [True, False] == [t.voided for t in terminal.memory.log]


def test_a_completion_is_not_voided_as_a_purchase_where_it_has_a_void_of_its_own() -> None:
    terminal, host = reserved("unionpay")
    carry_out(terminal, host, Complete())

    with pytest.raises(NotInLog, match="is a completion, not a purchase"):
        terminal.begin(Void("000002"))


def test_hypercom_voids_a_completion_as_a_sale() -> None:
    terminal, host = reserved("hypercom")
    carry_out(terminal, host, Complete(advice=True))

    carry_out(terminal, host, Void("000002"))

    assert terminal.memory.authorisations[0].open
    with pytest.raises(NoSuchFunction, match="hypercom has no completion_void"):
        terminal.begin(Void("000002", function="completion_void"))


@pytest.mark.parametrize(
    ("function", "command"),
    [("auth", HELD), ("completion", Complete()), ("auth_void", Void("", function="auth_void"))],
)
def test_what_belongs_to_a_pre_authorisation_is_reversed_when_its_answer_is_lost(
    function: str, command: Authorise | Complete | Void
) -> None:
    terminal, host = reserved("unionpay")
    host.will(function, None)
    carry_out(terminal, host, command)
    assert State.REVERSAL_PENDING == terminal.state

    carry_out(terminal, host, Reverse())

    lost, undone = host.of(function)[-1].fields, host.of("reversal")[0].fields
    assert [lost[n] for n in (3, 4, 11, 25)] == [undone[n] for n in (3, 4, 11, 25)]
    assert lost[60][:2] == undone[60][:2]
    assert terminal.memory.authorisations[0].open


def test_the_reversal_of_a_void_names_the_void_in_element_61() -> None:
    terminal, host = reserved("unionpay")
    host.will("auth_void", None)
    carry_out(terminal, host, Void("", function="auth_void"))

    carry_out(terminal, host, Reverse())

    assert "0000010000020000" == host.of("reversal")[0].fields[61]


def test_an_undone_completion_leaves_its_pre_authorisation_open() -> None:
    terminal, host = reserved("unionpay")
    carry_out(terminal, host, Complete())

    carry_out(terminal, host, Reverse("000002"))

    assert terminal.memory.authorisations[0].open
    assert [True] == [t.reversed for t in terminal.memory.log]


def test_an_undone_pre_authorisation_is_not_open() -> None:
    terminal, host = reserved("unionpay")

    carry_out(terminal, host, Reverse("000001"))

    with pytest.raises(NotInLog):
        terminal.begin(Complete())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_pre_authorisations_outlive_their_batch_and_a_power_cut(dialect: str) -> None:
    terminal, host = reserved(dialect)
    carry_out(terminal, host, Settle())

    again = after_power_cut(terminal)
    carry_out(again, host, Complete(advice=dialect != "unionpay"))

    assert [10_000] == [t.amount_minor for t in again.memory.log]
    if dialect == "unionpay":
        assert "000001000001" == host.of("completion")[0].fields[61][:12]
        assert "000002" == host.of("completion")[0].fields[60][2:8]


def test_stans_that_come_again_do_not_confuse_pre_authorisations_of_other_batches() -> None:
    terminal, host = reserved("unionpay")
    carry_out(terminal, host, Settle())
    terminal.memory.stan = 0
    carry_out(terminal, host, HELD)

    carry_out(terminal, host, Complete())

    assert [("000001", False), ("000002", True)] == [
        (t.batch_number, t.completed) for t in terminal.memory.authorisations
    ]


def test_a_pre_authorisation_that_was_forgotten_is_completed_and_voided_by_its_particulars() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    original = Original(stan="000044", batch_number="000003", date="0228", approval_code="A1B2C3")

    carry_out(terminal, host, CompleteUnlogged(CUP, 500, "156", original))
    carry_out(terminal, host, VoidUnlogged(CUP, 500, "156", original, "auth_void"))

    for request in host.requests:
        assert ("A1B2C3", "0000030000440228") == (request.fields[38], request.fields[61])


def test_only_so_many_are_remembered() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    for _ in range(AUTHORISATIONS_KEPT + 1):
        carry_out(terminal, host, HELD)

    assert AUTHORISATIONS_KEPT == len(terminal.memory.authorisations)
    assert "000002" == terminal.memory.authorisations[0].stan


def test_an_advice_is_not_undone() -> None:
    terminal, host = reserved("unionpay")
    carry_out(terminal, host, Complete(advice=True))

    with pytest.raises(NotNow, match="completion_advice is not reversed"):
        terminal.begin(Reverse("000002"))
