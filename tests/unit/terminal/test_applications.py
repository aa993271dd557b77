"""Which application speaks which dialect, and how its messages look where a dialect has them otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.terminal.scripted_host import MERCHANT, ScriptedHost, a_terminal, carry_out

from pos_specs.language import open_language
from pos_specs.loader import shipped_dialects
from pos_specs.message import Message
from pos_terminal.applications import application_for
from pos_terminal.applications.application import NotSpoken
from pos_terminal.cards import TEST_CARDS
from pos_terminal.cli import run
from pos_terminal.commands import Authorise, Command, Complete, Inquire, Manage, Purchase, Refund, Reverse, Settle, Void
from pos_terminal.receipt import slip
from pos_terminal.requests import NoSuchFunction
from pos_terminal.transaction import CHIP, MANUAL

CUP = TEST_CARDS["unionpay"]

OTHER_CLOCK = """
[dialect]
extends = "iso87-ascii"
name = "other-clock"
title = "DE12 with the date"
[elements]
12 = { name = "local_time", format = "n12" }
"""


@pytest.mark.parametrize("name", shipped_dialects())
def test_a_shipped_dialect_has_an_application(name: str) -> None:
    assert name == application_for(open_language(name)).dialect.name


def test_a_dialect_whose_clock_stands_otherwise_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(OTHER_CLOCK, "utf-8")
    with pytest.raises(NotSpoken, match="element 12 has 12 characters"):
        application_for(open_language(str(path)))

    code = run(["sign-in", "--dialect", str(path), "--host", "127.0.0.1:1"])

    assert (2, 1) == (code, len(capsys.readouterr().err.splitlines()))


# ---------------------------------------------------------------- the messages of 1993


def sent_by(dialect: str, *commands: Command) -> list[Message]:
    """The requests of one terminal that carries out these commands, all of them approved."""
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)
    for command in commands:
        assert carry_out(terminal, host, command).answered
    return host.requests


def test_a_purchase_of_1993_has_the_date_in_its_time_a_function_code_and_how_the_card_was_read() -> None:
    chip, keyed = sent_by("iso93-ascii", Purchase(CUP, 1000, "156", CHIP), Purchase(CUP, 1000, "156", MANUAL))

    assert ("1200", "260302201530", "200") == (chip.mti, chip.fields[12], chip.fields[24])
    assert ("5", "6", 12) == (chip.fields[22][6], keyed.fields[22][6], len(chip.fields[22]))
    assert not {13, 25} & chip.fields.keys()


def test_what_1993_takes_back_is_named_by_type_stan_and_moment() -> None:
    purchase, void, reversal = sent_by("iso93-ascii", Purchase(CUP, 1000, "156"), Void("000001"), Reverse("000002"))

    assert f"1200{purchase.fields[11]}26030220153000" == void.fields[56]
    assert ("1420", "400", "4007") == (reversal.mti, reversal.fields[24], reversal.fields[25])
    assert f"1200{void.fields[11]}26030220153000" == reversal.fields[56]
    assert 39 not in reversal.fields


def test_an_unanswered_purchase_of_1993_is_reversed_because_of_the_time() -> None:
    terminal, host = a_terminal("iso93-ascii"), ScriptedHost("iso93-ascii")
    host.will("purchase", None)
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))
    assert carry_out(terminal, host, Reverse()).approved

    assert ("4021", None) == (host.of("reversal")[0].fields[25], terminal.memory.unfinished)


def test_network_management_of_1993_is_told_apart_by_the_function_code() -> None:
    sent = sent_by("iso93-ascii", Manage("sign_in"), Manage("echo"), Manage("sign_off"))

    assert [("1804", "801"), ("1804", "831"), ("1804", "802")] == [(m.mti, m.fields[24]) for m in sent]


def test_a_completion_of_1993_says_whether_the_amount_is_the_authorised_one() -> None:
    sent = sent_by(
        "iso93-ascii",
        Authorise(CUP, 500, "156"),
        Complete(advice=True),
        Authorise(CUP, 500, "156"),
        Complete(400, advice=True),
    )

    assert ["100", "201", "100", "202"] == [message.fields[24] for message in sent]


def test_a_balance_of_1993_asks_as_an_inquiry() -> None:
    assert "108" == sent_by("iso93-ascii", Inquire(CUP, "156"))[0].fields[24]


@pytest.mark.parametrize(("code", "result"), [("500", "balanced"), ("501", "out_of_balance")])
def test_an_action_code_closes_the_batch_of_1993(code: str, result: str) -> None:
    terminal, host = a_terminal("iso93-ascii"), ScriptedHost("iso93-ascii")
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))
    host.will("settlement", {39: code})

    closed = carry_out(terminal, host, Settle()).closed

    sent = host.of("settlement")[0]
    assert closed is not None
    assert (result, "1520", "500", "260302") == (closed.result, sent.mti, sent.fields[24], sent.fields[28])
    assert [] == terminal.memory.log


@pytest.mark.parametrize("code", ["000", "502", "504", "909"])
def test_any_other_action_code_keeps_the_batch_of_1993(code: str) -> None:
    terminal, host = a_terminal("iso93-ascii"), ScriptedHost("iso93-ascii")
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))
    host.will("settlement", {39: code})

    assert carry_out(terminal, host, Settle()).closed is None
    assert 1 == len(terminal.memory.log)


def test_a_slip_of_1993_has_the_date_and_the_time() -> None:
    terminal, host = a_terminal("iso93-ascii"), ScriptedHost("iso93-ascii")
    sold = carry_out(terminal, host, Purchase(CUP, 1000, "156")).transaction

    assert sold is not None
    assert "03-02 20:15:30" in slip(sold, terminal.memory, "000", "Approved")


# ---------------------------------------------------------------- the messages of BASE24


def test_a_base24_terminal_fills_its_id_to_sixteen_and_numbers_its_own_messages() -> None:
    purchase, reversal = sent_by("base24-pos", Purchase(CUP, 1000, "156"), Reverse("000001"))

    assert (f"{'T0000001':<16}", MERCHANT) == (purchase.fields[41], purchase.fields[42])
    assert ("000000000001", "000001") == (reversal.fields[37], reversal.fields[11])


def test_a_base24_reversal_names_the_original_by_number_and_moment() -> None:
    reversal = sent_by("base24-pos", Purchase(CUP, 1000, "156"), Reverse("000001"))[1]

    assert f"0200{'000000000001'}{'0302'}{'20153000'}{'0302'}{' ' * 10}" == reversal.fields[90]


def test_a_base24_sign_in_names_no_terminal() -> None:
    sign_in, echo = sent_by("base24-pos", Manage("sign_in"), Manage("echo"))

    assert ({7, 11, 70}, "001", "301") == (set(sign_in.fields), sign_in.fields[70], echo.fields[70])


def test_a_base24_refund_stands_alone() -> None:
    refund = sent_by("base24-pos", Purchase(CUP, 1000, "156"), Refund(CUP, 500, "156"))[1]

    assert ("0200", "200000", "000000000002") == (refund.mti, refund.fields[3], refund.fields[37])


def test_what_base24_does_not_have_is_said_in_one_line() -> None:
    terminal, host = a_terminal("base24-pos"), ScriptedHost("base24-pos")
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))

    with pytest.raises(NoSuchFunction, match="dialect base24-pos has no purchase_void"):
        terminal.begin(Void("000001"))


@pytest.mark.parametrize(("dialect", "longest"), [("base24-pos", 16), ("iso93-ascii", 8)])
def test_an_id_that_no_message_can_carry_is_refused(
    dialect: str, longest: int, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["echo", "--dialect", dialect, "--host", "127.0.0.1:1", "--terminal-id", "9" * (longest + 1)])

    assert (2, True) == (code, f"one to {longest} ASCII characters" in capsys.readouterr().err)
