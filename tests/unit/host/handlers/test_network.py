"""Sign-in, sign-off, echo, batch numbers, and what the host does not serve."""

from __future__ import annotations

import json

from tests.unit.host.handlers.conftest import Terminal
from tests.unit.host.handlers.test_refund import close_batch
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import (
    MERCHANT,
    HypercomTerminal,
    Iso87Terminal,
    UnionPayTerminal,
    debit_credit,
)

from pos_specs.totals import Side


async def test_a_unionpay_sign_in_is_answered_with_the_batch_number(unionpay: UnionPayTerminal) -> None:
    answer = (await unionpay.sign_in(f60="00000519003")).answer

    assert "0810" == answer.mti
    assert {
        11: "000001",
        12: "200000",
        13: "0302",
        32: "00010000",
        37: "000001000001",
        39: "00",
        41: "T0000001",
        42: MERCHANT,
        60: "00000001003",
    } == answer.fields


async def test_after_a_settlement_the_next_sign_in_gives_the_next_number(unionpay: UnionPayTerminal) -> None:
    await unionpay.sign_in()
    await unionpay.purchase(1_00)
    await unionpay.settle(debit_credit((1, 1_00)))

    assert "00000002003" == (await unionpay.sign_in()).answer.fields[60]


async def test_during_an_upload_a_sign_in_repeats_the_number(unionpay: UnionPayTerminal) -> None:
    await unionpay.sign_in()
    await unionpay.purchase(1_00)
    await unionpay.settle(debit_credit((2, 2_00)))

    assert "00000001003" == (await unionpay.sign_in()).answer.fields[60]


async def test_a_unionpay_terminal_that_did_not_sign_in_is_believed_once(unionpay: UnionPayTerminal) -> None:
    unionpay.batch = "000519"
    assert "00" == (await unionpay.purchase(1_00)).code

    unionpay.batch = "000777"
    assert "77" == (await unionpay.purchase(1_00)).code

    assert "00000519003" == (await unionpay.sign_in()).answer.fields[60]


async def test_after_a_sign_in_no_number_of_the_terminals_own_is_believed(unionpay: UnionPayTerminal) -> None:
    await unionpay.sign_in()
    unionpay.batch = "000519"

    assert "77" == (await unionpay.purchase(1_00)).code


async def test_a_number_that_no_terminal_takes_is_not_believed(unionpay: UnionPayTerminal) -> None:
    for number in ("000000", "999999"):
        unionpay.batch = number
        assert "77" == (await unionpay.purchase(1_00)).code

    assert "00000001003" == (await unionpay.sign_in()).answer.fields[60]


async def test_unionpay_numbers_wrap_before_999999(unionpay: UnionPayTerminal) -> None:
    unionpay.batch = "999998"
    await unionpay.purchase(1_00)
    await unionpay.settle(debit_credit((1, 1_00)))

    assert "00000001003" == (await unionpay.sign_in()).answer.fields[60]
    assert "00" == (await unionpay.purchase(1_00)).code


async def test_hypercom_numbers_wrap_after_999999(hypercom: HypercomTerminal, host: HostInProcess) -> None:
    hypercom.batch = "999999"
    await hypercom.purchase(1_00)
    await hypercom.settle({"sales": Side(1, 1_00)})

    assert "000001" == host.book("H0000001").batches[-1].number


async def test_a_sign_off_turns_no_batch(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    await unionpay.purchase(1_00)

    answer = (await unionpay.sign_off()).answer

    assert ("0830", "00", "00000001002") == (answer.mti, answer.fields[39], answer.fields[60])
    assert "00" == (await unionpay.purchase(1_00)).code
    assert ["open"] == [batch.state for batch in host.book("T0000001").batches]


async def test_a_unionpay_echo_is_answered_and_posts_nothing(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    await unionpay.sign_in()
    entries = len(host.memory.entries)

    answer = (await unionpay.echo()).answer

    assert "0830" == answer.mti
    assert {
        12: "200000",
        13: "0302",
        39: "00",
        41: "T0000001",
        42: MERCHANT,
        60: "00000001301",
    } == answer.fields
    assert entries == len(host.memory.entries)


async def test_a_hypercom_test_message_is_answered_and_enrols_nothing(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    assert "00" == (await hypercom.test(f42=None)).code
    assert "00" == (await hypercom.test(f41="NOBODY  ")).code

    assert [] == host.memory.entries
    assert [] == host.registry.of_terminal("H0000001")


async def test_an_iso87_echo_needs_no_terminal(iso87: Iso87Terminal, host: HostInProcess) -> None:
    answer = (await iso87.network("301", f41=None, f42=None)).answer

    assert ("0810", "00", "301") == (answer.mti, answer.fields[39], answer.fields[70])
    assert [] == host.memory.entries


async def test_iso87_signs_on_and_off(iso87: Iso87Terminal) -> None:
    assert ["00", "00"] == [(await iso87.network(code)).code for code in ("001", "002")]


async def test_a_hypercom_logon_is_answered(hypercom: HypercomTerminal) -> None:
    answer = (await hypercom.sign_in()).answer

    assert ("0810", "920000", "00") == (answer.mti, answer.fields[3], answer.fields[39])


async def test_the_host_numbers_the_batches_of_iso87(iso87: Iso87Terminal, host: HostInProcess) -> None:
    await iso87.purchase(1_00)
    await close_batch(iso87, sales=(1, 1_00))

    assert ["000001", "000002"] == [batch.number for batch in host.book("I0000001").batches]


async def test_what_the_host_does_not_serve_is_answered_as_unsupported(
    unionpay: UnionPayTerminal, hypercom: HypercomTerminal, iso87: Iso87Terminal, host: HostInProcess
) -> None:
    load = await unionpay.purchase(1_00, f3="600000", f25="91", f60=f"45{unionpay.batch}000500")
    unknown = await hypercom.purchase(1_00, f3="550000")
    unknown_in_ascii = await iso87.purchase(1_00, f3="550000")

    assert ["40", "12", "40"] == [load.code, unknown.code, unknown_in_ascii.code]
    entry = host.memory.entries[-1].entry
    assert ("unsupported", "unsupported_function") == (entry.kind, entry.outcome)
    assert {"reason": "no function of the dialect"} == json.loads(entry.detail)


async def test_an_unsupported_answer_names_what_the_terminal_compares(unionpay: UnionPayTerminal) -> None:
    answer = (await unionpay.purchase(1_00, f3="600000", f25="91", f60=f"45{unionpay.batch}000500")).answer

    assert {
        3: "600000",
        11: "000001",
        41: "T0000001",
        42: MERCHANT,
        60: "45000001000500",
    }.items() <= answer.fields.items()
    assert "0210" == answer.mti


async def test_an_unsupported_message_type_is_answered(unionpay: UnionPayTerminal) -> None:
    answer = await unionpay.line.ask("0100", dict(unionpay.purchase_message(1_00, f3="030000", f25="18").fields))

    assert ("0110", "40") == (answer.mti, answer.fields[39])


async def test_an_unsupported_request_enrols_nothing(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(1_00, f3="990000")

    assert [] == host.registry.of_terminal(terminal.ids[41])
