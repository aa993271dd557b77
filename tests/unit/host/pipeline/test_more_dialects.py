"""The dialects that extend another, and that of 1993, trade like the three the host began with."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import UNIONPAY_CARD, Exchange, HypercomTerminal, Iso87Terminal

from pos_specs.message import Message
from pos_specs.totals import Side, write_iso87


class BinaryTerminal(Iso87Terminal):
    dialect = "iso87-binary"


class PostilionTerminal(Iso87Terminal):
    dialect = "postilion"


class EbcdicTerminal(HypercomTerminal):
    dialect = "hypercom-ebcdic"


class VersionedTerminal(HypercomTerminal):
    dialect = "hypercom-99bill"


class LeftPanTerminal(HypercomTerminal):
    dialect = "hypercom-left-pan"


class RightPaddedTerminal(HypercomTerminal):
    dialect = "hypercom-right-f"


class Base24Terminal(Iso87Terminal):
    """DE41 has sixteen characters, DE42 is sent all the same, DE90 names RRN and not STAN."""

    dialect = "base24-pos"

    def __init__(self, host: HostInProcess) -> None:
        super().__init__(host, f"{'B24':<16}")

    def purchase_message(self, amount_minor: int, pan: str = UNIONPAY_CARD, **changes: Any) -> Message:
        return super().purchase_message(amount_minor, pan, **{"f37": "MYOWNRRN    ", **changes})

    async def reverse(self, request: Message, **changes: Any) -> Exchange:
        kept = {number: request.fields.get(number) for number in (2, 3, 4, 11, 12, 13, 37, 49)}
        original = f"0200{request.fields[37]}{'0302':4}{'20000000':8}{'0302':4}{' ' * 10}"
        return await self.send("0420", {**kept, 90: original}, {})


class Iso93Terminal(Iso87Terminal):
    """DE12 has date and time, DE24 says what a message is about, DE56 names the original."""

    dialect = "iso93-ascii"

    async def network(self, code: str, **changes: Any) -> Exchange:
        return await self.send("1804", {11: self.next_stan(), 12: "260302200000", 24: code}, {})

    def purchase_message(self, amount_minor: int, pan: str = UNIONPAY_CARD, **changes: Any) -> Message:
        fields = {**self.sale_fields(amount_minor, pan), 3: "000000", 12: "260302200000", 24: "200", 49: "156"}
        return self.message("1200", fields, {int(name[1:]): value for name, value in changes.items()})

    async def void(self, sale: Exchange, **changes: Any) -> Exchange:
        message = self.purchase_message(sale.amount_minor, f3="020000", f56=self.original(sale.request))
        return Exchange(message, await self.line.ask(message.mti, message.fields))

    async def reverse(self, request: Message, **changes: Any) -> Exchange:
        kept = {number: request.fields.get(number) for number in (2, 3, 4, 12, 49)}
        fields = {**kept, 11: self.next_stan(), 24: "400", 56: self.original(request)}
        return await self.send("1420", fields, {})

    async def settle(self, totals: dict[str, Side], *, mti: str = "1520", **changes: Any) -> Exchange:
        fields = {11: self.next_stan(), 12: "260302200500", 24: "500", 28: "260302", 50: "156", **write_iso87(totals)}
        return await self.send(mti, fields, {int(name[1:]): value for name, value in changes.items()})

    def original(self, request: Message) -> str:
        return f"{request.mti}{request.fields[11]}{request.fields[12]}0200"


class TermAppTerminal(Iso93Terminal):
    dialect = "termapp-a"


@pytest.mark.parametrize("kind", [BinaryTerminal, PostilionTerminal])
async def test_a_day_in_a_dialect_of_1987(host: HostInProcess, kind: type[Iso87Terminal]) -> None:
    terminal = kind(host)
    await terminal.sign_in()
    sale, voided, undone = [await terminal.purchase(amount) for amount in (100_00, 50_00, 20_00)]
    await terminal.refund(sale, 30_00)

    codes = [(await terminal.void(voided)).code, (await terminal.reverse(undone.request)).code]
    settled = await terminal.settle({"debits": Side(1, 100_00), "credits": Side(1, 30_00)})

    assert ["00", "00"] == codes
    assert ("00", "1", "D0000000000007000") == tuple(settled.answer.fields[number] for number in (39, 66, 97))


@pytest.mark.parametrize("kind", [EbcdicTerminal, VersionedTerminal])
async def test_a_day_in_a_dialect_of_hypercoms_kind(host: HostInProcess, kind: type[HypercomTerminal]) -> None:
    terminal = kind(host)
    await terminal.sign_in()
    sale, voided = await terminal.purchase(100_00), await terminal.purchase(50_00)

    codes = [(await terminal.void(voided)).code, (await terminal.settle({"sales": Side(1, 100_00)})).code]

    assert ["00", "00"] == codes
    assert sale.rrn.strip()


async def test_what_goes_over_the_line_is_ebcdic(host: HostInProcess) -> None:
    terminal = EbcdicTerminal(host)
    await terminal.purchase(100_00)

    assert "H0000001".encode("cp500") in terminal.line.frames[-1].body
    assert b"H0000001" not in terminal.line.frames[-1].body


async def test_the_version_bytes_come_back_as_they_were(host: HostInProcess) -> None:
    terminal = VersionedTerminal(host)
    await terminal.purchase(100_00)

    assert bytes.fromhex("0100") == terminal.line.frames[-1].header


async def test_a_base24_terminal_keeps_its_own_rrn_and_reverses_by_stan(host: HostInProcess) -> None:
    terminal = Base24Terminal(host)

    signed_in = await terminal.send("0800", {41: None, 42: None, 7: "0302120000", 11: "000001", 70: "001"}, {})
    sale = await terminal.purchase(100_00)
    reversed_ = await terminal.reverse(sale.request)
    settled = await terminal.settle({})

    assert ("00", "001") == (signed_in.code, signed_in.answer.fields[70])
    assert ("00", "MYOWNRRN    ", f"{'B24':<16}") == tuple(sale.answer.fields[number] for number in (39, 37, 41))
    assert ("00", "00", "1") == (reversed_.code, settled.code, settled.answer.fields[66])


async def test_a_base24_terminal_cannot_void(host: HostInProcess) -> None:
    terminal = Base24Terminal(host)

    assert "40" == (await terminal.purchase(100_00, f3="020000")).code


@pytest.fixture
def iso93(host: HostInProcess) -> Iso93Terminal:
    return Iso93Terminal(host)


async def test_the_messages_of_1993_have_action_codes(iso93: Iso93Terminal) -> None:
    signed_in, echoed = await iso93.network("801"), await iso93.network("831")
    sale = await iso93.purchase(100_00)
    reversed_ = await iso93.reverse(sale.request)

    assert [("1814", "800"), ("1814", "800"), ("1210", "000"), ("1430", "400")] == [
        (done.answer.mti, done.code) for done in (signed_in, echoed, sale, reversed_)
    ]
    assert "260302200000" == sale.answer.fields[12]


@pytest.mark.parametrize("mti", ["1500", "1520"])
async def test_equal_totals_are_500_and_close_the_batch(iso93: Iso93Terminal, host: HostInProcess, mti: str) -> None:
    sale = await iso93.purchase(100_00)
    voided = await iso93.void(await iso93.purchase(50_00))
    await iso93.refund(None, 30_00)

    settled = await iso93.settle({"debits": Side(1, 100_00), "credits": Side(1, 30_00)}, mti=mti)

    assert ("000", "000") == (sale.code, voided.code)
    assert (f"{mti[:2]}{int(mti[2]) + 1}0", "500", "D0000000000007000") == (
        settled.answer.mti,
        settled.code,
        settled.answer.fields[97],
    )
    assert [("settled", "balanced"), ("open", "")] == [(b.state, b.result) for b in host.book("I0000001").batches]


async def test_other_totals_are_501_with_the_hosts(iso93: Iso93Terminal) -> None:
    await iso93.purchase(100_00)

    settled = await iso93.settle({"debits": Side(2, 150_00)})

    assert ("501", "0000000001", "0000000000010000") == tuple(settled.answer.fields[n] for n in (39, 76, 88))


async def test_the_reversal_of_1993_takes_back_what_de56_names(iso93: Iso93Terminal) -> None:
    sale = await iso93.purchase(100_00)
    await iso93.reverse(sale.request)

    assert "500" == (await iso93.settle({})).code


async def test_what_1993_does_not_have_is_answered_902(iso93: Iso93Terminal) -> None:
    unknown = await iso93.purchase(100_00, f3="990000")

    assert "902" == unknown.code


@pytest.mark.parametrize(
    ("sent", "code"),
    [(Side(1, 100_00), "500"), (Side(1, 90_00), "502"), (Side(2, 150_00), "504"), (Side(2, 100_00), "504")],
)
@pytest.mark.parametrize("function_code", ["501", "503"])
async def test_a_checkpoint_is_compared_and_closes_nothing(
    iso93: Iso93Terminal, host: HostInProcess, function_code: str, sent: Side, code: str
) -> None:
    await iso93.purchase(100_00)

    for _ in range(2):
        compared = await iso93.settle({"debits": sent}, f24=function_code)
        assert (code, "0000000001", "0000000000010000") == tuple(compared.answer.fields[n] for n in (39, 76, 88))
    assert ["open"] == [batch.state for batch in host.book("I0000001").batches]
    assert "500" == (await iso93.settle({"debits": Side(1, 100_00)})).code


async def test_an_authorisation_of_1993_is_completed_by_an_advice(iso93: Iso93Terminal) -> None:
    held = iso93.purchase_message(80_00, f24="100")
    held.mti = "1100"
    auth = Exchange(held, await iso93.line.ask(held.mti, held.fields))
    done = iso93.purchase_message(80_00, f24="201", f38=auth.answer.fields[38])
    done.mti = "1220"

    completion = Exchange(done, await iso93.line.ask(done.mti, done.fields))

    assert [("1110", "000"), ("1230", "000")] == [(step.answer.mti, step.code) for step in (auth, completion)]
    assert "500" == (await iso93.settle({"debits": Side(1, 80_00)})).code


async def test_a_balance_of_1993_comes_in_de54(iso93: Iso93Terminal) -> None:
    asked = iso93.purchase_message(0, f3="310000", f24="108", f4=None)
    asked.mti = "1100"

    answer = await iso93.line.ask(asked.mti, asked.fields)

    assert ("1110", "000", 20) == (answer.mti, answer.fields[39], len(answer.fields[54]))
