"""Whose turn it is: one terminal on many connections, many terminals on one, requests that come all at once."""

from __future__ import annotations

import pytest
from tests.unit.host.pipeline.conftest import Terminal
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import Logs
from tests.unit.host.pipeline.terminals import (
    MERCHANT,
    OTHER_MERCHANT,
    HypercomTerminal,
    Iso87Terminal,
    UnionPayTerminal,
    debit_credit,
)

from pos_specs.totals import Side

KINDS: list[type[UnionPayTerminal] | type[HypercomTerminal] | type[Iso87Terminal]] = [
    UnionPayTerminal,
    HypercomTerminal,
    Iso87Terminal,
]


@pytest.mark.parametrize("kind", KINDS)
async def test_the_same_terminal_id_under_two_merchants_is_two_terminals(
    host: HostInProcess, kind: type[UnionPayTerminal]
) -> None:
    one, other = (kind(host, "T0000001", merchant_id=merchant) for merchant in (MERCHANT, OTHER_MERCHANT))

    first, second = await one.purchase(1_00), await other.purchase(2_00)

    assert ["00", "00"] == [first.code, second.code]
    assert first.rrn != second.rrn
    amounts = {merchant: host.book("T0000001", merchant).batches[-1].by_rrn for merchant in (MERCHANT, OTHER_MERCHANT)}
    assert {MERCHANT: [first.rrn], OTHER_MERCHANT: [second.rrn]} == {mid: list(rrns) for mid, rrns in amounts.items()}


async def test_a_unionpay_settlement_closes_the_batch_of_its_own_merchant(host: HostInProcess) -> None:
    one, other = (UnionPayTerminal(host, merchant_id=merchant) for merchant in (MERCHANT, OTHER_MERCHANT))
    await one.purchase(1_00)
    await other.purchase(2_00)

    settled = await other.settle(debit_credit((1, 2_00)))

    assert "11" == settled.answer.fields[48][30::31]
    assert ["open"] == [batch.state for batch in host.book("T0000001", MERCHANT).batches]


async def test_without_de42_a_hypercom_terminal_is_found_by_its_id(hypercom: HypercomTerminal) -> None:
    sale = await hypercom.purchase(1_00)

    assert "00" == (await hypercom.reverse(sale.request, f42=None)).code
    assert "12" == (await hypercom.void(sale)).code


async def test_without_de42_an_id_of_two_merchants_is_no_terminal(host: HostInProcess, logs: Logs) -> None:
    one, other = (HypercomTerminal(host, merchant_id=merchant) for merchant in (MERCHANT, OTHER_MERCHANT))
    sale = await one.purchase(1_00)
    await other.purchase(1_00)

    assert "89" == (await one.reverse(sale.request, f42=None)).code
    assert ["terminal H0000001 is not known"] == [line["reason"] for line in logs if line["event"] == "message_refused"]


async def test_without_de42_an_unknown_terminal_is_refused(hypercom: HypercomTerminal) -> None:
    assert "89" == (await hypercom.sign_in(f42=None)).code


async def test_one_terminal_on_two_connections_has_one_book(terminal: Terminal, host: HostInProcess) -> None:
    other = type(terminal)(host, terminal.ids[41], line=host.connect(terminal.dialect))
    other.stan = 500
    sale = await terminal.purchase(10_00)

    void = await other.void(sale)

    assert "00" == void.code
    assert 1 == len(host.registry.of_terminal(terminal.ids[41]))


async def test_an_answer_goes_to_the_connection_that_asked(terminal: Terminal, host: HostInProcess) -> None:
    other = host.connect(terminal.dialect)
    first, second = terminal.purchase_message(1_00), terminal.purchase_message(2_00)

    terminal.line.feed(terminal.line.bytes_of(first))
    other.feed(other.bytes_of(second))
    await host.quiet()

    assert [[first.fields[11]], [second.fields[11]]] == [
        [answer.fields[11] for answer in line.answers] for line in (terminal.line, other)
    ]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_concentrators_requests_are_each_answered_to_their_terminal(
    host: HostInProcess, kind: type[UnionPayTerminal]
) -> None:
    line = host.connect(kind.dialect)
    terminals = [kind(host, f"C{number:07d}", line=line) for number in range(20)]
    messages = [terminal.purchase_message(100 + place) for place, terminal in enumerate(terminals)]

    answers = await line.ask_raw(b"".join(line.bytes_of(message) for message in messages), expect=20)

    assert {message.fields[41]: ("00", message.fields[4]) for message in messages} == {
        answer.fields[41]: (answer.fields[39], answer.fields[4]) for answer in answers
    }
    assert 20 == len(host.registry)


async def test_pipelined_requests_of_one_terminal_are_answered_in_turn(terminal: Terminal, host: HostInProcess) -> None:
    messages = [terminal.purchase_message(100 + place) for place in range(50)]
    data = b"".join(terminal.line.bytes_of(message) for message in messages)

    answers = await terminal.line.ask_raw(data, expect=50)

    assert [message.fields[11] for message in messages] == [answer.fields[11] for answer in answers]
    assert {"00"} == {answer.fields[39] for answer in answers}
    assert sorted(answer.fields[37] for answer in answers) == [answer.fields[37] for answer in answers]


async def test_a_repeat_right_behind_its_first_gets_the_same_answer(terminal: Terminal) -> None:
    data = terminal.line.bytes_of(terminal.purchase_message(1_00))

    first, second = await terminal.line.ask_raw(data + data, expect=2)

    assert first == second


async def test_hundreds_of_waiting_repeats_are_all_answered(terminal: Terminal) -> None:
    """They need no commit, so each is answered right after the one before it."""
    data = terminal.line.bytes_of(terminal.purchase_message(1_00))

    answers = await terminal.line.ask_raw(data * 256, expect=256)

    assert 256 == len(answers)
    assert all(answer == answers[0] for answer in answers)
    terminal.host.asked.clear()


async def test_a_terminal_that_sends_without_waiting_is_cut_off(
    terminal: Terminal, host: HostInProcess, logs: Logs
) -> None:
    messages = [terminal.purchase_message(1_00) for _ in range(300)]
    data = b"".join(terminal.line.bytes_of(message) for message in messages)

    terminal.line.feed(data)
    await host.quiet()

    assert terminal.line.closed
    reasons = [line["reason"] for line in logs if line["event"] == "connection_closed"]
    assert ["more than 256 requests of one terminal wait"] == reasons
    host.asked.clear()


async def test_a_settlement_and_the_next_purchase_in_one_segment_fall_into_two_batches(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    await unionpay.purchase(1_00)
    line = unionpay.line
    text = "000000000100001" + "0" * 47
    settle = unionpay.message("0500", {11: "000900", 48: text, 49: "156", 60: "00000001201", 63: "01 "}, {})
    unionpay.batch = "000002"
    sale = unionpay.purchase_message(2_00)

    answers = await line.ask_raw(line.bytes_of(settle) + line.bytes_of(sale), expect=2)

    assert ["1", "00"] == [answers[0].fields[48][30], answers[1].fields[39]]
    assert [1_00, 2_00] == [batch.groups["domestic_debit"].amount_minor for batch in host.book("T0000001").batches]


async def test_answers_to_one_segment_leave_in_one_write(terminal: Terminal) -> None:
    await terminal.purchase(1_00)
    writes = len(terminal.line.writes)
    others = [type(terminal)(terminal.host, f"C{number:07d}", line=terminal.line) for number in range(5)]
    for other in others:
        await other.purchase(1_00)
    writes = len(terminal.line.writes)
    data = b"".join(terminal.line.bytes_of(other.purchase_message(1_00)) for other in others)

    await terminal.line.ask_raw(data, expect=5)

    assert 1 == len(terminal.line.writes) - writes


async def test_a_terminal_may_come_back_in_another_dialect_while_its_batch_is_empty(host: HostInProcess) -> None:
    hypercom = HypercomTerminal(host, "T0000001")
    await hypercom.sign_in()
    unionpay = UnionPayTerminal(host, "T0000001")

    assert "00" == (await unionpay.purchase(1_00)).code
    assert "unionpay" == host.book("T0000001").dialect.name


async def test_a_terminal_with_money_in_its_batch_keeps_to_its_dialect(host: HostInProcess) -> None:
    hypercom, unionpay = HypercomTerminal(host, "T0000001"), UnionPayTerminal(host, "T0000001")
    await hypercom.purchase(1_00)

    assert "58" == (await unionpay.purchase(1_00)).code
    assert "00" == (await hypercom.settle({"sales": Side(1, 1_00)})).code
    assert "00" == (await unionpay.sign_in()).code
