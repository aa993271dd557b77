"""The terminal and a real host, in one process: every function, keys, PINs and chips, and the power cut everywhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess, Line
from tests.unit.host.pipeline.proofs import verified
from tests.unit.terminal.scripted_host import MERCHANT, a_terminal, after_power_cut

from pos_host.ledger.group_totals import sides
from pos_host.security.guard import Guard
from pos_host.security.mac_mode import MacMode
from pos_host.security.vault import KeyVault
from pos_specs.security.key_file import load_key_file
from pos_terminal.batch_log import NotInLog
from pos_terminal.cards import TEST_CARDS
from pos_terminal.commands import (
    Adjust,
    Authorise,
    CashAdvance,
    Command,
    Complete,
    Inquire,
    Manage,
    Purchase,
    Refund,
    Reverse,
    SellOffline,
    Settle,
    Void,
)
from pos_terminal.exchange import Result
from pos_terminal.memory import Memory
from pos_terminal.pin import Pin
from pos_terminal.pin_pad import PadSettings
from pos_terminal.states import NotNow
from pos_terminal.terminal import Terminal
from pos_terminal.transaction import CHIP, Original

DIALECTS = ["unionpay", "hypercom", "iso87-ascii", "iso93-ascii", "base24-pos"]
WITHOUT_ADJUST = ("iso87-ascii", "iso93-ascii")
CUP, VISA, MASTERCARD = TEST_CARDS["unionpay"], TEST_CARDS["visa"], TEST_CARDS["mastercard"]
PIN, WRONG_PIN = Pin("123456"), Pin("654321")
SEALING_KEY = bytes(range(32))
Making = Callable[[Memory], Command]


class Counting:
    """Random bytes that are none: each call gives the next ones."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, length: int) -> bytes:
        self.made += 1
        return bytes((self.made + place) % 256 for place in range(length))


@pytest.fixture
async def host() -> AsyncIterator[HostInProcess]:
    """A host that checks MACs; its books are verified in the end."""
    made = a_host("verify")
    yield made
    await assert_verified(made)


async def assert_verified(host: HostInProcess) -> None:
    """No difference between the host's rows and its entries; what was posted last is waited for."""
    await host.quiet()
    assert 0 == (report := verified(host))["differences"], report["details"]


def a_host(mode: MacMode) -> HostInProcess:
    return HostInProcess(guard=Guard(mode, KeyVault(load_key_file(), SEALING_KEY, Counting())))


async def perform(terminal: Terminal, line: Line, command: Command) -> Result:
    """Carry out a command to its result."""
    terminal.begin(command)
    while (request := terminal.next_request()) is not None:
        answer = await line.ask(request.mti, request.fields)
        assert terminal.receive(answer) is not None, f"the answer to {request} does not fit"
    assert terminal.result is not None
    return terminal.result


def of(function: str, memory: Memory) -> str:
    """The STAN of the last transaction of that function."""
    return [t.stan for t in memory.log if t.function == function and t.effective][-1]


def first_purchase(memory: Memory) -> Original:
    return next(t for t in memory.log if t.function == "purchase" and t.effective).as_original()


def a_days_work(dialect: str) -> list[Making]:
    """Everything a terminal can do in a dialect, in an order in which all of it is approved."""
    if dialect == "base24-pos":
        return a_day_without_voids()
    advice = dialect != "unionpay"
    undo = "completion_void" if dialect == "unionpay" else "purchase_void"
    work: list[Making] = [
        lambda memory: Manage("sign_in"),
        lambda memory: Inquire(CUP, "156"),
        lambda memory: Purchase(CUP, 1000, "156"),
        lambda memory: Purchase(VISA, 2000, "156", CHIP),
        lambda memory: Authorise(CUP, 5000, "156"),
        lambda memory: Authorise(None, 500, "156", addition_to=Original(stan=memory.authorisations[-1].stan)),
        lambda memory: Complete(5400, advice=advice),
        lambda memory: Void(of("completion_advice" if advice else "completion", memory), function=undo),
        lambda memory: Complete(advice=True),
        lambda memory: Authorise(MASTERCARD, 700, "156"),
        lambda memory: Void("", function="auth_void"),
        lambda memory: SellOffline(VISA, 300, "156", "012", "123456"),
        lambda memory: SellOffline(CUP, 400, "156", "012", "123456", later=True),
        lambda memory: Purchase(CUP, 600, "156"),
        lambda memory: Void(of("purchase", memory)),
        lambda memory: Refund(CUP, 250, "156", first_purchase(memory)),
        lambda memory: Purchase(CUP, 800, "156"),
    ]
    if dialect not in WITHOUT_ADJUST:
        work.append(lambda memory: Adjust(of("purchase", memory), 880, 80))
    if dialect != "unionpay":
        work.append(lambda memory: CashAdvance(CUP, 900, "156"))
        work.append(lambda memory: Refund(CUP, 111, "156"))
        work.append(lambda memory: Void("", function="refund_void"))
    return work


def a_day_without_voids() -> list[Making]:
    """Everything a terminal can do in BASE24, where a reversal takes back."""
    return [
        lambda memory: Manage("sign_in"),
        lambda memory: Inquire(CUP, "156"),
        lambda memory: Purchase(CUP, 1000, "156"),
        lambda memory: Purchase(VISA, 2000, "156", CHIP),
        lambda memory: Reverse(of("purchase", memory)),
        lambda memory: Authorise(CUP, 5000, "156"),
        lambda memory: Authorise(None, 500, "156", addition_to=Original(stan=memory.authorisations[-1].stan)),
        lambda memory: Complete(5400, advice=True),
        lambda memory: Authorise(MASTERCARD, 700, "156"),
        lambda memory: Reverse(memory.authorisations[-1].stan),
        lambda memory: SellOffline(VISA, 300, "156", "012", "123456"),
        lambda memory: SellOffline(CUP, 400, "156", "012", "123456", later=True),
        lambda memory: Refund(CUP, 250, "156", first_purchase(memory)),
        lambda memory: CashAdvance(CUP, 900, "156"),
        lambda memory: Refund(CUP, 111, "156"),
        lambda memory: Reverse(of("refund", memory)),
        lambda memory: Purchase(CUP, 800, "156"),
    ]


def assert_same_books(host: HostInProcess, result: Result, expected: str) -> None:
    assert result.closed is not None
    batch = next(b for b in host.book("T0000001").batches if b.closed)
    assert (expected, expected) == (result.closed.result, batch.result)
    assert tuple(result.closed.books) == sides(batch)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_everything_a_terminal_can_do_is_approved_and_balances(dialect: str, host: HostInProcess) -> None:
    terminal, line = a_terminal(dialect), host.connect(dialect)
    for make in a_days_work(dialect):
        command = make(terminal.memory)
        result = await perform(terminal, line, command)
        assert result.approved, f"{type(command).__name__} was answered {result.code}"

    assert_same_books(host, await perform(terminal, line, Settle()), "balanced")


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom"])
async def test_everything_is_uploaded_where_the_totals_lack_a_record(dialect: str, host: HostInProcess) -> None:
    terminal, line = a_terminal(dialect), host.connect(dialect)
    for make in a_days_work(dialect):
        await perform(terminal, line, make(terminal.memory))

    result = await perform(terminal, line, Settle(leave_out=terminal.memory.log[0].stan))

    assert_same_books(host, result, "balanced_after_upload")


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom"])
async def test_the_upload_tells_of_offline_sales_and_adjusts_that_never_came(dialect: str, host: HostInProcess) -> None:
    terminal, line = a_terminal(dialect), host.connect(dialect)
    await perform(terminal, line, Manage("sign_in"))
    await perform(terminal, line, Purchase(CUP, 1000, "156"))
    await perform(terminal, line, SellOffline(CUP, 300, "156", "012", "123456", later=True))
    await perform(terminal, line, Adjust(of("purchase", terminal.memory), 1100, 100, later=True))
    terminal.memory.advices.clear()

    assert_same_books(host, await perform(terminal, line, Settle()), "balanced_after_upload")


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom"])
async def test_a_host_that_requires_macs_gets_them(dialect: str) -> None:
    host = a_host("require")
    terminal, line = a_terminal(dialect, pad=PadSettings(scheme="004")), host.connect(dialect)
    for make in a_days_work(dialect):
        assert (await perform(terminal, line, make(terminal.memory))).approved

    assert_same_books(host, await perform(terminal, line, Settle()), "balanced")
    await assert_verified(host)


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom"])
async def test_the_pin_is_checked_by_the_host(dialect: str, host: HostInProcess) -> None:
    terminal, line = a_terminal(dialect), host.connect(dialect)
    await perform(terminal, line, Manage("sign_in"))

    right = await perform(terminal, line, Purchase(CUP, 100, "156", pin=PIN))
    wrong = await perform(terminal, line, Purchase(CUP, 100, "156", pin=WRONG_PIN))

    assert ("00", "55") == (right.code, wrong.code)


@pytest.mark.parametrize(("dialect", "code"), [("unionpay", "A0"), ("hypercom", "96")])
async def test_a_wrong_mac_key_is_refused_by_the_host(dialect: str, code: str, host: HostInProcess) -> None:
    wrong = PadSettings(mac_key=bytes.fromhex("0123456789ABCDEF"))
    terminal, line = a_terminal(dialect, pad=wrong), host.connect(dialect)
    await perform(terminal, line, Manage("sign_in"))

    assert code == (await perform(terminal, line, Purchase(CUP, 100, "156"))).code


async def test_a_dukpt_device_is_understood_message_by_message(host: HostInProcess) -> None:
    device = PadSettings(ksn=bytes.fromhex("FFFF9876543210E00000"))
    terminal, line = a_terminal("hypercom", pad=device), host.connect("hypercom")

    for pin, code in ((PIN, "00"), (WRONG_PIN, "55"), (PIN, "00")):
        assert code == (await perform(terminal, line, Purchase(CUP, 100, "156", pin=pin))).code
    await perform(terminal, line, Void(of("purchase", terminal.memory)))

    assert_same_books(host, await perform(terminal, line, Settle()), "balanced")


AES_PADS = """
[dialect]
extends = "hypercom"
name = "aes-pads"
title = "Hypercom style, PIN pads with AES DUKPT"

[elements]
52 = { format = "b16" }
"""


@pytest.mark.parametrize(
    ("ksn", "bdk", "codes"),
    [
        ("123456789012345600000000", "", ["00", "55"]),
        ("123456789012345600000000", "00" * 16, ["96", "96"]),
        ("999999999999999900000000", "FEDCBA9876543210F1F1F1F1F1F1F1F1", ["96", "96"]),
    ],
    ids=["right", "wrong base key", "unknown serial number"],
)
async def test_an_aes_dukpt_device_sells_and_one_of_another_key_is_refused(
    ksn: str, bdk: str, codes: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "aes-pads.toml"
    file.write_text(AES_PADS, "utf-8")
    host, device = a_host("require"), PadSettings(ksn=bytes.fromhex(ksn), bdk=bytes.fromhex(bdk))
    terminal, line = a_terminal(str(file), pad=device), host.connect(str(file))

    sold = await perform(terminal, line, Purchase(CUP, 100, "156", pin=PIN))
    wrong_pin = await perform(terminal, line, Purchase(CUP, 100, "156", pin=WRONG_PIN))

    assert codes == [sold.code, wrong_pin.code]
    assert (codes[0] == "00") == bool(host.groups("T0000001"))


async def test_an_aes_dukpt_device_makes_macs_where_its_pin_block_does_not_fit(host: HostInProcess) -> None:
    device = PadSettings(ksn=bytes.fromhex("123456789012345600000000"))
    terminal, line = a_terminal("hypercom", pad=device), host.connect("hypercom")

    sold = await perform(terminal, line, Purchase(CUP, 100, "156"))

    assert (True, "123456789012345600000001") == (sold.approved, terminal.memory.ksn)


async def test_less_is_approved_where_the_terminal_takes_a_part(host: HostInProcess) -> None:
    terminal, line = a_terminal("unionpay"), host.connect("unionpay")
    await perform(terminal, line, Manage("sign_in"))
    card = TEST_CARDS["unionpay-partial"]

    whole = await perform(terminal, line, Purchase(card, 9_999_999, "156"))
    part = await perform(terminal, line, Purchase(card, 9_999_999, "156", partial=True))

    assert ("51", "10") == (whole.code, part.code)
    assert 0 < terminal.memory.log[0].amount_minor < 9_999_999
    assert_same_books(host, await perform(terminal, line, Settle()), "balanced")


async def test_a_purse_pays_offline_and_is_uploaded(host: HostInProcess) -> None:
    terminal, line = a_terminal("unionpay"), host.connect("unionpay")
    await perform(terminal, line, Manage("sign_in"))
    assert (await perform(terminal, line, SellOffline(VISA, 300, "156", CHIP))).approved
    await perform(terminal, line, Purchase(CUP, 100, "156"))

    result = await perform(terminal, line, Settle(leave_out=of("purchase", terminal.memory)))

    assert_same_books(host, result, "balanced_after_upload")


async def test_a_pre_authorisation_is_completed_in_the_next_batch(host: HostInProcess) -> None:
    terminal, line = a_terminal("unionpay"), host.connect("unionpay")
    await perform(terminal, line, Manage("sign_in"))
    await perform(terminal, line, Authorise(CUP, 5000, "156"))
    await perform(terminal, line, Settle())

    assert (await perform(terminal, line, Complete())).approved
    assert (await perform(terminal, line, Settle())).closed is not None


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom"])
async def test_parameters_and_status_are_answered(dialect: str, host: HostInProcess) -> None:
    terminal, line = a_terminal(dialect), host.connect(dialect)

    for function in ("parameters", "status"):
        assert (await perform(terminal, line, Manage(function))).approved


# ---------------------------------------------------------------- power cuts

MOMENTS = ["before sending", "while waiting", "after the answer"]


class Cut(Exception):
    """The power is gone."""


class Switchboard:
    """Counts messages, and cuts the power at one of them."""

    def __init__(self, at: int, moment: str) -> None:
        self.at, self.moment = at, moment
        self.sent = 0

    async def perform(self, terminal: Terminal, line: Line, command: Command) -> None:
        """Carry out a command, or raise Cut with only what the memory holds left."""
        terminal.begin(command)
        while (request := terminal.next_request()) is not None:
            cut, self.sent = self.sent == self.at, self.sent + 1
            if cut and self.moment == "before sending":
                raise Cut
            answer = await line.ask(request.mti, request.fields)
            if cut and self.moment == "while waiting":
                raise Cut
            assert terminal.receive(answer) is not None
            if cut:
                raise Cut


async def live(dialect: str, work: Sequence[Making], switchboard: Switchboard) -> tuple[HostInProcess, Result]:
    """A day's work with one power cut; what was going on then is left, what cannot be done after it too."""
    host = a_host("verify")
    terminal, line = a_terminal(dialect), host.connect(dialect)
    for make in work:
        try:
            with suppress(NotInLog, NotNow, IndexError, StopIteration):
                await switchboard.perform(terminal, line, make(terminal.memory))
        except Cut:
            terminal = after_power_cut(terminal)
    with suppress(Cut):
        await switchboard.perform(terminal, line, Settle())
    if terminal.result is not None and terminal.result.closed is not None:
        return host, terminal.result
    return host, await perform(after_power_cut(terminal), line, Settle())


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_the_power_may_go_at_every_message_and_the_books_agree(dialect: str, moment: str) -> None:
    at = messages = 0
    while at <= messages:
        switchboard = Switchboard(at, moment)
        host, result = await live(dialect, a_days_work(dialect), switchboard)
        assert_same_books(host, result, "balanced")
        await assert_verified(host)
        messages = max(messages, switchboard.sent - 1)
        at += 1
    assert messages > len(a_days_work(dialect)) - 3
    assert MERCHANT == host.book("T0000001").merchant_id
