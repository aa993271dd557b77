"""The power goes at every point of a settlement; the terminal goes on, and nothing is lost or doubled."""

from collections import Counter

import pytest
from tests.unit.terminal.scripted_host import (
    Changes,
    ScriptedHost,
    a_terminal,
    after_power_cut,
    carry_out,
    with_codes,
)

from pos_specs.message import Message
from pos_terminal.cards import TEST_CARDS
from pos_terminal.commands import Purchase, Refund, Reverse, Settle
from pos_terminal.exchange import Result
from pos_terminal.terminal import Terminal

CUP, VISA = TEST_CARDS["unionpay"], TEST_CARDS["visa"]
MOMENTS = ["before sending", "while waiting", "after the answer"]


def traded(dialect: str) -> tuple[Terminal, ScriptedHost]:
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)
    for number in range(10):
        carry_out(terminal, host, Purchase(VISA if number % 3 else CUP, 1000 + number, "156"))
    for place in (0, 1):
        purchase = terminal.memory.log[place]
        card = CUP if place == 0 else VISA
        carry_out(terminal, host, Refund(card, 500, "156", purchase.as_original()))
    host.requests.clear()
    dispute: dict[str, Changes] = {"unionpay": {48: with_codes("0" * 62, "2", "2")}, "hypercom": {39: "95"}}
    host.will("settlement", *[dispute[dialect]] * 3)
    return terminal, host


def settle_with_a_cut(terminal: Terminal, host: ScriptedHost, at: int, moment: str) -> Result:
    """Settle; the power goes at the message of that number. What is in the memory then is what is left."""
    terminal.begin(Settle())
    sent = 0
    while (request := terminal.next_request()) is not None:
        cut = sent == at
        sent += 1
        if cut and moment == "before sending":
            return carry_out(after_power_cut(terminal), host, Settle())
        answer = host.answer(request)
        assert answer is not None
        if cut and moment == "while waiting":
            return carry_out(after_power_cut(terminal), host, Settle())
        assert terminal.receive(answer) is not None
        if cut and terminal.result is None:
            return carry_out(after_power_cut(terminal), host, Settle())
    assert terminal.result is not None
    return terminal.result


def records_of(host: ScriptedHost, request: Message) -> list[str]:
    """The STANs of the records that a 0320 carries."""
    if host.language.name == "hypercom":
        return [request.fields[60][4:10]]
    parts = host.language.parts.of(request, 48)
    return [record["stan"] for record in parts["records"]] if parts is not None else [request.fields[11]]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("dialect", "messages"), [("unionpay", 6), ("hypercom", 14)])
def test_an_upload_goes_on_where_the_power_was_cut(dialect: str, messages: int, moment: str) -> None:
    for at in range(messages):
        terminal, host = traded(dialect)
        expected = {transaction.stan for transaction in terminal.memory.log}

        result = settle_with_a_cut(terminal, host, at, moment)

        assert result.closed is not None, f"cut at message {at}"
        assert ("balanced_after_upload", "000001") == (result.closed.result, result.closed.batch_number)
        uploaded = Counter(stan for request in host.of("batch_upload") for stan in records_of(host, request))
        assert expected == uploaded.keys()
        repeated = host.of("batch_upload")
        assert len(repeated) <= messages - 1, "only the message that was cut off is sent again"


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("dialect", ["unionpay", "hypercom"])
def test_the_count_at_the_end_is_that_of_all_records_whatever_was_cut(dialect: str, moment: str) -> None:
    ends = set()
    for at in range(6):
        terminal, host = traded(dialect)
        settle_with_a_cut(terminal, host, at, moment)
        end = host.of("batch_upload_end")[-1]
        ends.add(end.fields[48] if dialect == "unionpay" else end.fields[63])

    assert 1 == len(ends)


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom", "iso87-ascii", "iso93-ascii", "base24-pos"])
def test_a_settlement_cut_off_while_waiting_is_sent_again_with_the_same_stan(dialect: str) -> None:
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))
    terminal.begin(Settle())
    request = terminal.next_request()
    assert request is not None
    host.answer(request)

    result = carry_out(after_power_cut(terminal), host, Settle())

    first, second = host.of("settlement")
    assert first == second
    assert result.closed is not None


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom", "iso87-ascii", "iso93-ascii", "base24-pos"])
def test_a_purchase_cut_off_while_waiting_is_reversed_and_not_in_the_log(dialect: str) -> None:
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)
    terminal.begin(Purchase(CUP, 1000, "156"))
    request = terminal.next_request()
    assert request is not None
    host.answer(request)

    again = after_power_cut(terminal)
    carry_out(again, host, Reverse())

    assert ["purchase", "reversal"] == host.functions()
    assert [] == again.memory.log
