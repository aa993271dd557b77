from __future__ import annotations

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import Logs, proven
from tests.unit.host.pipeline.terminals import (
    MERCHANT,
    OTHER_MERCHANT,
    HypercomTerminal,
    Iso87Terminal,
    UnionPayTerminal,
)

KINDS = [(UnionPayTerminal, "97"), (HypercomTerminal, "89"), (Iso87Terminal, "58")]


async def test_an_unknown_terminal_is_enrolled_at_its_first_message(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    await unionpay.purchase(1_00)

    book = host.book("T0000001")
    assert (MERCHANT, "unionpay", True, host.clock.now_ms()) == (
        book.merchant_id,
        book.dialect.name,
        book.enrolled,
        book.enrolled_at_ms,
    )
    assert ["terminal_enrolled", "batch_opened", "purchase"] == [stored.entry.kind for stored in host.memory.entries]


async def test_two_first_messages_at_once_enrol_one_terminal(host: HostInProcess) -> None:
    terminals = [UnionPayTerminal(host) for _ in range(2)]
    terminals[1].stan = 10
    for terminal in terminals:
        terminal.line.feed(terminal.line.bytes_of(terminal.purchase_message(1_00)))
    await host.quiet()

    assert [["00"], ["00"]] == [[answer.fields[39] for answer in terminal.line.answers] for terminal in terminals]
    assert 1 == [stored.entry.kind for stored in host.memory.entries].count("terminal_enrolled")


async def strict(kind: type, known: str | None = None) -> HostInProcess:
    """A strict host whose store knows one terminal, enrolled while it was open."""
    host = HostInProcess()
    if known is not None:
        await kind(host, known).purchase(1_00)
    host.enrol = "strict"
    return host.twin()


@pytest.mark.parametrize(("kind", "code"), KINDS)
async def test_strict_an_unknown_terminal_of_a_known_merchant_is_refused(kind: type, code: str) -> None:
    host = await strict(kind, known="K0000001")
    async with proven(host):
        assert code == (await kind(host, "X0000001").purchase(1_00)).code
        assert [] == host.registry.of_terminal("X0000001")


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS])
async def test_strict_a_terminal_of_an_unknown_merchant_is_refused_as_such(kind: type) -> None:
    host = await strict(kind, known="K0000001")
    async with proven(host):
        assert "03" == (await kind(host, "X0000001", merchant_id=OTHER_MERCHANT).purchase(1_00)).code


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS])
async def test_strict_a_known_terminal_trades(kind: type) -> None:
    host = await strict(kind, known="K0000001")
    async with proven(host):
        terminal = kind(host, "K0000001")
        terminal.stan = 10
        assert "00" == (await terminal.purchase(1_00)).code


async def test_strict_a_test_message_is_answered_to_anybody() -> None:
    host = await strict(HypercomTerminal)
    async with proven(host):
        assert "00" == (await HypercomTerminal(host).test()).code
        assert "00" == (await Iso87Terminal(host).network("301")).code


async def test_strict_a_unionpay_echo_of_an_unknown_terminal_is_refused() -> None:
    host = await strict(UnionPayTerminal, known="K0000001")
    async with proven(host):
        assert "97" == (await UnionPayTerminal(host).echo()).code


async def test_strict_a_settlement_of_an_unknown_terminal_has_code_3_and_de39() -> None:
    host = await strict(UnionPayTerminal, known="K0000001")
    async with proven(host):
        settled = await UnionPayTerminal(host).settle({})
        assert ("97", "33") == (settled.code, settled.answer.fields[48][30::31])


async def test_a_refusal_is_logged_and_journalled(logs: Logs) -> None:
    host = await strict(UnionPayTerminal)
    async with proven(host) as lines:
        await UnionPayTerminal(host).purchase(1_00)
        (line,) = [line for line in lines if line["event"] == "message_refused"]
        assert ("unknown_merchant", f"merchant {MERCHANT} is not known") == (line["outcome"], line["reason"])
        assert ["refused"] == [stored.entry.kind for stored in host.memory.entries]
