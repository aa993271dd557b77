"""What is done without the host: offline sales and adjusts, stored and told afterwards."""

import pytest
from tests.unit.terminal.scripted_host import Changes, ScriptedHost, a_terminal, after_power_cut, carry_out

from pos_specs.totals import Side
from pos_terminal.batch_log import NotInLog
from pos_terminal.cards import TEST_CARDS
from pos_terminal.commands import Adjust, Forward, Purchase, SellOffline, Settle, Void
from pos_terminal.requests import NoSuchFunction
from pos_terminal.states import State
from pos_terminal.transaction import CHIP

CUP, VISA = TEST_CARDS["unionpay"], TEST_CARDS["visa"]
SOLD = SellOffline(CUP, 1000, "156", "012", "123456")
LATER = SOLD._replace(later=True)


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom", "iso87-ascii"])
def test_an_offline_sale_is_told_at_once(dialect: str) -> None:
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)

    result = carry_out(terminal, host, SOLD)

    [request] = host.of("offline_purchase")
    assert ("0220", CUP.pan, "123456") == (request.mti, request.fields[2], request.fields[38])
    assert (True, True, []) == (result.answered, result.approved, terminal.memory.advices)
    assert Side(1, 1000) == terminal.application.books(terminal.memory.log).debit


def test_a_unionpay_offline_sale_says_that_it_was_authorised_by_telephone() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")

    carry_out(terminal, host, SOLD)

    sent = host.requests[0].fields
    assert ("3000000100050", "0" * 16 + "01" + "0" * 11, "CUP") == (sent[60], sent[61], sent[63])


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom", "iso87-ascii"])
def test_a_sale_that_is_kept_goes_out_before_the_settlement(dialect: str) -> None:
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)
    for _ in range(2):
        assert carry_out(terminal, host, LATER).answered
    assert [] == host.requests

    result = carry_out(after_power_cut(terminal), host, Settle())

    assert ["offline_purchase", "offline_purchase", "settlement"] == host.functions()[:3]
    assert ["000001", "000002"] == [request.fields[11] for request in host.of("offline_purchase")]
    assert result.closed is not None
    assert Side(2, 2000) == result.closed.books.debit


def test_what_is_kept_goes_out_on_demand() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    carry_out(terminal, host, LATER)

    told = carry_out(terminal, host, Forward())
    again = carry_out(terminal, host, Forward())

    assert (True, True) == (told.answered, told.approved)
    assert "nothing is stored" == again.reason
    assert 1 == len(host.requests)


def test_other_transactions_do_not_wait_for_what_is_kept() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    carry_out(terminal, host, LATER)

    carry_out(terminal, host, Purchase(CUP, 1, "156"))

    assert ["purchase"] == host.functions()


def test_an_unanswered_sale_is_told_again_as_a_repeat_and_never_reversed() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    host.will("offline_purchase", None)

    assert not carry_out(terminal, host, SOLD).answered
    assert State.IDLE == terminal.state
    carry_out(after_power_cut(terminal), host, Forward())

    assert [("0220", "000001"), ("0221", "000001")] == [(r.mti, r.fields[11]) for r in host.requests]


def test_unionpay_gives_a_sale_up_after_three_tries_and_leaves_it_to_the_upload() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    host.will("offline_purchase", None, {39: "96"}, None)
    carry_out(terminal, host, SOLD)
    assert not carry_out(terminal, host, Settle()).answered
    assert not carry_out(terminal, host, Settle()).answered

    result = carry_out(terminal, host, Settle())

    assert ["offline_purchase"] * 3 + ["settlement", "batch_upload_end"] == host.functions()
    assert result.closed is not None
    assert Side(1, 1000) == result.closed.books.debit


def test_hypercom_does_not_settle_before_every_sale_is_told() -> None:
    terminal, host = a_terminal("hypercom"), ScriptedHost("hypercom")
    host.will("offline_purchase", *[None] * 9)
    carry_out(terminal, host, SOLD)
    for _ in range(8):
        assert not carry_out(terminal, host, Settle()).answered

    assert [] == host.of("settlement")
    assert carry_out(terminal, host, Settle()).closed is not None


def test_a_refused_sale_stays_in_the_books() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    host.will("offline_purchase", {39: "30"})

    result = carry_out(terminal, host, SOLD)

    assert (True, False, "30") == (result.answered, result.approved, result.code)
    assert [] == terminal.memory.advices
    assert Side(1, 1000) == terminal.application.books(terminal.memory.log).debit


def test_a_chips_own_purse_pays_with_a_message_of_its_own_and_counts_as_domestic() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")

    carry_out(terminal, host, SellOffline(VISA, 1000, "156", CHIP))

    [request] = host.of("offline_purchase")
    tags = host.language.parts.of(request, 55)
    assert tags is not None
    assert ("0200", "36", "001") == (request.mti, request.fields[60][:2], request.fields[23])
    assert ("5931", "40") == (tags["8A"], tags["9F27"])
    assert Side(1, 1000) == terminal.application.totals(terminal.memory.log)["domestic_debit"]


@pytest.mark.parametrize(
    ("command", "message_type", "amount", "tip"),
    [(Adjust("000001", 1200), "32", "000000001200", None), (Adjust("000001", 1150, 150), "34", "000000001150", "150")],
)
def test_a_unionpay_adjust_says_whether_it_is_a_tip(
    command: Adjust, message_type: str, amount: str, tip: str | None
) -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))

    carry_out(terminal, host, command)

    sent = host.of("adjust")[0].fields
    assert (message_type, amount, "0000010000010302", "000000000001") == (sent[60][:2], sent[4], sent[61], sent[37])
    assert (None if tip is None else f"{tip:0>12}") == sent.get(48)


def test_a_hypercom_adjust_carries_the_amount_before_and_the_tip() -> None:
    terminal, host = a_terminal("hypercom"), ScriptedHost("hypercom")
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))

    carry_out(terminal, host, Adjust("000001", 1150, 150))

    sent = host.of("adjust")[0].fields
    assert ("020000", "000000001150", "000000001000", "000000000150", "000001") == tuple(
        sent[number] for number in (3, 4, 60, 54, 62)
    )


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom"])
def test_an_adjusted_sale_counts_once_with_its_new_amount(dialect: str) -> None:
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))

    carry_out(terminal, host, Adjust("000001", 1150, 150))

    assert Side(1, 1150) == terminal.application.books(terminal.memory.log).debit
    for command in (Void("000001"), Adjust("000001", 900)):
        with pytest.raises(NotInLog, match="already adjusted"):
            terminal.begin(command)


DISPUTES: dict[str, Changes] = {"unionpay": {48: "0" * 30 + "2" + "0" * 30 + "1"}, "hypercom": {39: "95"}}


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom"])
def test_an_adjusted_sale_is_uploaded_as_its_adjust_alone(dialect: str) -> None:
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))
    carry_out(terminal, host, Adjust("000001", 1150, 150))
    host.will("settlement", DISPUTES[dialect])

    carry_out(terminal, host, Settle())

    [record] = host.of("batch_upload")
    assert "000000001150" == record.fields[4]
    if dialect == "unionpay":
        assert ("34", "000002") == (record.fields[60][:2], record.fields[11])
    else:
        assert ("020001", "0200000001") == (record.fields[3], record.fields[60][:10])


def test_what_the_host_does_not_know_yet_cannot_be_adjusted() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    carry_out(terminal, host, LATER)

    with pytest.raises(NotInLog, match="forward it first"):
        terminal.begin(Adjust("000001", 900))


def test_a_dialect_without_adjusts_says_so_before_anything_is_stored() -> None:
    terminal, host = a_terminal("iso87-ascii"), ScriptedHost("iso87-ascii")
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))

    with pytest.raises(NoSuchFunction, match="iso87-ascii has no adjust"):
        terminal.begin(Adjust("000001", 900))
    assert (1, []) == (len(terminal.memory.log), terminal.memory.advices)
