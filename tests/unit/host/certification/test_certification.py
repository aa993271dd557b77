"""Our terminal passes; terminals with one mistake fail by the rule that it breaks, and by no other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.unit.host.certification import broken_terminals as broken
from tests.unit.host.certification.bench import (
    CUP,
    VISA,
    Shop,
    business,
    business_near_the_last_stan,
    certify,
    failures,
)
from tests.unit.host.certification.broken_terminals import AMOUNT, CODE, STAN, counting, sending

from pos_host.certification.suite import load_suite
from pos_host.certification.verdicts import exit_code
from pos_specs.language import Language
from pos_specs.message import Message
from pos_terminal.commands import Manage, Purchase, Refund, Reverse, Settle
from pos_terminal.memory import Memory
from pos_terminal.states import NotNow, State
from pos_terminal.terminal import Terminal


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom"])
def test_our_terminal_passes_every_rule_and_shows_every_step(dialect: str) -> None:
    outcome = certify(dialect, live=business_near_the_last_stan)

    assert ([], set(), True) == (failures(outcome), outcome.not_seen, outcome.complete)


def test_what_not_every_terminal_can_show_is_no_failure() -> None:
    outcome = certify("hypercom")

    assert ([], {"stan-wraps"}, True) == (failures(outcome), outcome.not_seen, outcome.complete)
    assert 0 == exit_code(outcome.judgements, allow_not_seen=False)


async def sells_whole_amounts_only(shop: Shop) -> None:
    shop.takes_parts = False
    await business(shop)


def test_a_step_that_not_every_terminal_can_take_is_not_asked_for_at_the_end() -> None:
    outcome = certify("unionpay", live=sells_whole_amounts_only)

    assert ([], {"stan-wraps", "part-counted"}, True) == (failures(outcome), outcome.not_seen, outcome.complete)
    assert outcome.told[-1] is None


async def reverses_what_was_approved_in_part(shop: Shop) -> None:
    await shop.do(Manage("sign_in"))
    await shop.do(Purchase(CUP, 1_001, "156", partial=True))
    await shop.do(Reverse(shop.memory.log[-1].stan))
    await shop.do(Settle())


class HalfAYearLate(Terminal):
    """Its clock is half a year late when it is switched on."""

    def __init__(self, language: Language, memory: Memory, clock: Callable[[], datetime]) -> None:
        super().__init__(language, memory, lambda: clock() - timedelta(days=180))


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom"])
def test_a_terminal_whose_clock_follows_the_host_passes_however_late_it_was(dialect: str) -> None:
    outcome = certify(dialect, make=HalfAYearLate)

    assert ([], "passed") == (failures(outcome), outcome.of("host-time").verdict)


def test_a_sale_approved_in_part_may_be_reversed() -> None:
    suite = load_suite("unionpay")
    only = suite._replace(steps=tuple(step for step in suite.steps if step.id == "partial"))
    outcome = certify("unionpay", live=reverses_what_was_approved_in_part, suite=only)

    assert "passed" == outcome.of("part-counted").verdict
    assert "approved in part, was reversed" in outcome.of("part-counted").reason


def test_a_hypercom_terminal_may_begin_a_broken_upload_anew() -> None:
    outcome = certify("hypercom", make=broken.BeginsUploadAnew)

    assert ([], True) == (failures(outcome), outcome.complete)


async def sells_impatiently(shop: Shop) -> None:
    """Waits a second, when the certification was told that it waits a minute."""
    shop.patience_s = 1.0
    await business(shop)


def test_a_terminal_that_waits_less_than_was_told_fails_by_that_alone() -> None:
    assert {"slow-answer"} == certify("unionpay", live=sells_impatiently).failed


async def signs_in_once_and_sells(shop: Shop) -> None:
    await shop.do(Manage("sign_in"))
    for amount_minor in (1_000, 2_000, 3_000):
        await shop.do(Purchase(CUP, amount_minor, "156"))


async def refunds_too_much(shop: Shop) -> None:
    await business(shop)
    await shop.do(Purchase(CUP, 1_000, "156"))
    await shop.do(Refund(CUP, 1_001, "156", shop.memory.log[-1].as_original()))


async def sells_while_settling(shop: Shop) -> None:
    await shop.do(Manage("sign_in"))
    for amount_minor in range(1_000, 1_040):
        await shop.do(Purchase(CUP, amount_minor, "156"))
    await shop.do(Reverse())
    await shop.attempt(Settle())
    under_way, shop.memory.settlement = shop.memory.settlement, None
    shop.terminal.state = State.IDLE
    await shop.do(Purchase(CUP, 5_000, "156"))
    shop.memory.settlement, shop.terminal.state = under_way, State.SETTLEMENT_PENDING
    await shop.do(Settle())


async def until_it_refuses(shop: Shop) -> None:
    with suppress(NotNow):
        await business(shop)


async def falls_silent(shop: Shop) -> None:
    await shop.do(Manage("sign_in"))
    await shop.do(Manage("sign_in"))
    await shop.attempt(Purchase(CUP, 1_000, "156"))


def put(number: int, value: str) -> Any:
    return lambda fields: fields.update({number: value})


def more(number: int, by: int) -> Any:
    return lambda fields: fields.update({number: f"{int(fields[number]) + by:0{len(fields[number])}d}"})


def part(number: int, start: int, text: str, *, cut: bool = False, keep: int | None = None) -> Any:
    """Writes `text` into an element at `start`; `cut` drops what is behind it, `keep` all but so many characters."""

    def change(fields: dict[int, str]) -> None:
        value = fields[number][:keep]
        fields[number] = value[:start] + text + ("" if cut else value[start + len(text) :])

    return change


def begins_again_at(first: int) -> Any:
    """STANs behind whose last one comes `first`."""
    return lambda given, last: first if last == 999_999 else last + 1


BROKEN: list[tuple[str, str, dict[str, Any]]] = [
    ("readable", "hypercom", {"make": sending("auth", lambda fields: fields.pop(41))}),
    ("reversal-before-next", "unionpay", {"make": broken.ForgetsReversals}),
    ("reversal-before-next", "hypercom", {"make": broken.ForgetsReversals}),
    ("reversal-stan", "unionpay", {"make": sending("reversal", more(STAN, 500))}),
    ("reversal-elements", "hypercom", {"make": sending("reversal", more(AMOUNT, 1))}),
    ("reversal-without-pin", "unionpay", {"make": sending("reversal", put(52, "00" * 8))}),
    ("reversal-without-pin", "hypercom", {"make": sending("reversal", put(52, "00" * 8))}),
    ("reversal-without-tracks", "unionpay", {"make": sending("reversal", put(35, f"{CUP.pan}D30122010000"))}),
    ("reversal-reason", "unionpay", {"make": sending("reversal", put(CODE, "00"))}),
    ("reversal-ends", "unionpay", {"make": broken.NeverDoneReversing, "live": signs_in_once_and_sells}),
    ("wrong-stan-answer", "hypercom", {"make": broken.TakesAnyStan}),
    ("wrong-mti-answer", "hypercom", {"make": broken.TakesAnyType}),
    ("wrong-mac-answer", "unionpay", {"make": broken.BelievesAnyMac}),
    ("wrong-key-checks", "unionpay", {"make": broken.TakesAnyKeys, "live": signs_in_once_and_sells}),
    ("mac-right", "unionpay", {"tamper": broken.wrong_mac}),
    ("decline-not-reversed", "unionpay", {"make": broken.ReversesDeclines}),
    ("class-c-not-counted", "unionpay", {"make": broken.counting_declines("51")}),
    ("decline-not-counted", "hypercom", {"make": broken.counting_declines("51")}),
    ("host-time", "unionpay", {"make": broken.KeepsItsOwnTime}),
    ("host-time", "unionpay", {"make": sending("refund", part(61, 12, "0131"))}),
    ("host-time", "hypercom", {"make": broken.KeepsItsOwnTime}),
    ("host-time", "hypercom", {"make": sending("batch_upload", put(12, "075900"))}),
    ("part-counted", "unionpay", {"make": broken.CountsAllOfAPart}),
    ("part-counted", "unionpay", {"make": broken.CountsNoPart}),
    ("totals-right", "unionpay", {"make": sending("settlement", more(48, 10**50))}),
    ("upload-complete", "unionpay", {"make": broken.ForgetsRecord}),
    ("upload-complete", "hypercom", {"make": broken.ForgetsRecord}),
    ("upload-once", "hypercom", {"make": broken.UploadsTwice}),
    ("upload-count", "unionpay", {"make": sending("batch_upload_end", put(48, "0001"))}),
    ("batch-number-raised", "unionpay", {"make": broken.KeepsBatchNumber}),
    ("sign-in-when-asked", "unionpay", {"make": broken.IgnoresHeaders}),
    ("stan-unused", "unionpay", {"memory": counting(lambda given, last: last if given == 50 else last + 1)}),
    ("stan-range", "unionpay", {"memory": counting(lambda given, last: 0 if given == 50 else given)}),
    ("stan-wraps", "unionpay", {"memory": counting(begins_again_at(100)), "live": business_near_the_last_stan}),
    ("stan-wraps", "hypercom", {"memory": counting(begins_again_at(100)), "live": business_near_the_last_stan}),
    ("stan-range", "hypercom", {"memory": counting(begins_again_at(0)), "live": business_near_the_last_stan}),
    ("stan-forward", "unionpay", {"memory": counting(lambda given, last: 900 - given if given > 50 else 900 + given)}),
    ("void-names-original", "unionpay", {"make": sending("purchase_void", put(61, "000001999999"))}),
    ("refund-within-original", "unionpay", {"live": refunds_too_much}),
    ("nothing-while-settling", "unionpay", {"live": sells_while_settling}),
    ("advice-repeated", "unionpay", {"make": broken.RenumbersRefunds}),
    ("settlement-ends", "hypercom", {"make": broken.InsistsOnTrailer, "live": until_it_refuses}),
    ("sensitive-data", "hypercom", {"make": sending("purchase", put(61, CUP.pan))}),
    ("sensitive-data", "hypercom", {"make": sending("reversal", put(63, "\x00\x0516123"))}),
    ("sensitive-data", "hypercom", {"make": sending("purchase_void", put(48, f"{VISA.pan}=3012201"))}),
    ("sensitive-data", "unionpay", {"make": sending("settlement", put(52, "00" * 8))}),
    ("sensitive-data", "unionpay", {"make": sending("auth", put(62, CUP.pan.encode().hex().upper()))}),
    ("class-b-not-counted", "unionpay", {"make": broken.counting_declines("13")}),
    ("class-d-not-counted", "unionpay", {"make": broken.counting_declines("41")}),
    ("class-e-not-counted", "unionpay", {"make": broken.counting_declines("98")}),
    ("reversal-repeated", "unionpay", {"make": broken.ForgetsRepeats}),
    ("incomplete-answer", "hypercom", {"make": broken.TakesIncomplete}),
    ("mac-present", "unionpay", {"make": broken.WithoutMac}),
    ("pin-elements", "unionpay", {"make": sending("purchase", put(26, "12"))}),
    ("sign-in-after-77", "unionpay", {"make": broken.NeverSignsInAgain}),
    ("settlement-repeated", "hypercom", {"make": broken.RenumbersSettlements}),
    ("trailer-totals", "hypercom", {"make": sending("batch_upload_end", more(63, 10**60))}),
    ("upload-resumed", "unionpay", {"make": broken.SkipsRecords}),
    ("upload-right", "hypercom", {"make": sending("batch_upload", more(AMOUNT, 1))}),
    ("upload-end", "unionpay", {"make": sending("batch_upload_end", part(60, 8, "202"))}),
    ("batch-number-used", "unionpay", {"make": sending("auth", part(60, 2, "000777"))}),
    ("de60-financial", "unionpay", {"make": sending("auth", part(60, 11, "9", cut=True))}),
    ("de61-refund", "unionpay", {"make": sending("refund", part(61, 0, "", keep=12))}),
    ("de60-void", "hypercom", {"make": sending("purchase_void", put(60, "1"))}),
    ("de62-invoice", "hypercom", {"make": sending("purchase", put(62, "A1"))}),
    ("de63-operator", "unionpay", {"make": sending("settlement", put(63, "1  "))}),
]


@pytest.mark.parametrize(
    ("rule", "dialect", "planted"), BROKEN, ids=[f"{rule}-{dialect}" for rule, dialect, _ in BROKEN]
)
def test_a_terminal_with_one_mistake_fails_by_that_rule_and_no_other(
    rule: str, dialect: str, planted: dict[str, Any]
) -> None:
    outcome = certify(dialect, **planted)

    assert {rule} == outcome.failed, failures(outcome)
    assert outcome.of(rule).findings[0].evidence


def test_a_rule_that_rests_on_a_failed_one_says_so() -> None:
    outcome = certify("hypercom", make=broken.ForgetsReversals)

    assert "rests on" in outcome.of("wrong-stan-answer").reason
    assert "wrong-stan-answer" in outcome.not_seen


def test_what_a_terminal_never_does_is_not_seen() -> None:
    outcome = certify("unionpay", make=Terminal, live=signs_in_once_and_sells)

    assert {"upload-complete", "totals-right", "de61-void"} <= outcome.not_seen
    assert not outcome.complete
    assert (1, 0) == tuple(exit_code(outcome.judgements, allow_not_seen=allowed) for allowed in (False, True))


def test_a_failed_rule_is_exit_code_1_whatever_may_be_not_seen() -> None:
    outcome = certify("unionpay", make=broken.BelievesAnyMac)

    assert 1 == exit_code(outcome.judgements, allow_not_seen=True)


def test_a_terminal_that_falls_silent_after_a_fault_is_told_from_one_that_was_never_tried() -> None:
    outcome = certify("unionpay", live=falls_silent)

    assert "it was played, and nothing came from the terminal after it" == outcome.of("reversal-before-next").reason
    assert "nothing showed it" == outcome.of("settlement-repeated").reason


HOSTILE = (
    ("0200", {3: "000000", 4: "000000000100", 11: "000000", 25: "00"}),
    ("0500", {11: "000001", 48: "9" * 62, 49: "156", 60: "00000001201"}),
    ("0320", {11: "000002", 48: "99", 60: "00000001201"}),
    ("0320", {11: "000003", 48: "0001", 60: "00000001202"}),
    (
        "0400",
        {3: "000000", 4: "000000000100", 11: "000004", 22: "021", 25: "00", 39: "??", 49: "156", 60: "22000001000"},
    ),
    ("0200", {3: "000000", 4: "000000000100", 11: "000005", 22: "021", 25: "00", 35: "D" * 37, 49: "156", 60: "22"}),
)


async def sends_nonsense(shop: Shop) -> None:
    for mti, fields in HOSTILE:
        await shop.send(Message(mti, dict(sorted({**fields, 41: "T0000001", 42: "898000000000001"}.items()))))
        await asyncio.sleep(1)
    await shop.send_raw(b"\x00\x20" + bytes(32))
    await asyncio.sleep(1)
    await business(shop)


def test_a_terminal_that_sends_nonsense_is_judged_like_any_other() -> None:
    outcome = certify("unionpay", live=sends_nonsense)

    assert "readable" in outcome.failed
    assert len(outcome.exchanges) > len(HOSTILE) + 60
    assert "passed" == outcome.of("reversal-stan").verdict
