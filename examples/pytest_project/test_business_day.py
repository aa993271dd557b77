"""What the back office sees of a day, with terminals that pos-host brings along."""

import asyncio

import pytest


def test_a_balanced_day(pos_acquirer, pos_terminals, pos_events):
    terminal = pos_terminals("T0000001")
    terminal.sign_in()
    terminal.purchase("12.34")
    terminal.purchase("5.00", card="visa")
    terminal.purchase_void()

    assert terminal.settle().outcome == "balanced"

    assert len(pos_events("batch.settled")) == 1
    assert pos_acquirer.verify() == []


def test_totals_that_disagree_are_followed_by_an_upload(pos_acquirer, pos_terminals):
    pos_acquirer.expect_in_order("settlement", "batch_upload", "batch_upload_end")
    terminal = pos_terminals("T0000001")
    terminal.sign_in()
    sale = terminal.purchase("12.34")
    terminal.purchase("5.00")

    assert "batch_upload" in terminal.settle(leave_out=sale.stan).functions

    assert pos_acquirer.batches("T0000001")[1]["result"] == "balanced_after_upload"


def test_a_forgotten_settlement_is_noticed(pos_acquirer, pos_terminals):
    pos_terminals("T0000001").purchase("12.34")
    assert pos_acquirer.unsettled() == []

    pos_acquirer.clock.advance("P1DT12H")

    (forgotten,) = pos_acquirer.unsettled()
    assert forgotten["unsettled"]["severity"] == "forgotten"
    assert forgotten["unsettled"]["impact"]["not_paid_minor"] == 1234


@pytest.mark.pos_acquirer(dialect="hypercom", enrol="strict")
def test_an_unknown_terminal_is_refused(pos_acquirer, pos_terminals):
    pos_acquirer.expect(function="purchase", outcome="approved").never()

    assert pos_terminals("H0000001").purchase("1.00").code == "03"


async def test_terminals_in_parallel(pos_acquirer, pos_terminals):
    """From asyncio, calls that wait are given to threads."""
    terminals = [pos_terminals(f"T000000{number}") for number in range(1, 5)]

    sales = await asyncio.gather(*[asyncio.to_thread(terminal.purchase, "1.00") for terminal in terminals])

    assert all(sale.approved for sale in sales)
    assert len(pos_acquirer.received(function="purchase")) == 4
