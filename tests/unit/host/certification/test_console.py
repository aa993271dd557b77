"""What the operator reads: the next thing to do, in the order of the suite, and what was left out at the end."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.host.certification.bench import CUP, Shop, certify

from pos_host.certification.console import Console
from pos_host.certification.suite import Step, load_suite
from pos_specs.language import Language
from pos_terminal.commands import Manage, Purchase
from pos_terminal.memory import Memory
from pos_terminal.pin_pad import PadSettings
from pos_terminal.terminal import Terminal


async def sells(shop: Shop) -> None:
    await shop.do(Manage("sign_in"))
    await shop.do(Manage("sign_in"))
    for amount_minor in range(1_000, 1_034):
        await shop.do(Purchase(CUP, amount_minor, "156"))


def without_mac(language: Language, memory: Memory, clock: object) -> Terminal:
    return Terminal(language, memory, clock, pad=PadSettings(uses_mac=False))  # type: ignore[arg-type]


def next_steps(told: list[Step | None]) -> list[str | None]:
    """The steps that were asked for, one after the other."""
    ids = [None if step is None else step.id for step in told]
    return [id_ for place, id_ in enumerate(ids) if place == 0 or ids[place - 1] != id_]


def test_steps_are_asked_for_in_order_and_what_cannot_be_shown_is_passed_by() -> None:
    outcome = certify("unionpay", make=without_mac, live=sells)
    wanted = [step.id for step in outcome.suite.steps]
    asked = next_steps(outcome.told)

    assert ["wrong-keys", "signed-in", "lost-answer", "lost-reversal"] == asked[:4]
    places = [wanted.index(id_) for id_ in asked if id_ is not None]
    assert sorted(places) == places
    assert "wrong-mac" not in asked[asked.index("slow") :]
    assert "void" == asked[-1]


def test_the_lines_say_what_to_do_what_came_and_the_verdicts(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = certify("unionpay", live=sells)
    suite = load_suite("unionpay")
    console = Console(suite, as_json=False)
    console.listening("unionpay", "127.0.0.1", 9583, suite.steps[0])
    for exchange, step in zip(outcome.exchanges, outcome.told, strict=True):
        console.seen(exchange, step)
    console.ended(outcome.judgements, "it was asked to end", [Path("report.html")])
    lines = capsys.readouterr().out.splitlines()

    assert "unionpay to 127.0.0.1:9583" in lines[0]
    assert lines[1].startswith("> Sign in.")
    assert "  1 sign_in 000001: approved [played: wrong-keys.2]" in lines
    assert any(line.startswith("passed    reversal-before-next: ") for line in lines)
    assert any(line.startswith("not seen  upload-complete: ") for line in lines)
    assert lines[-1].startswith("Ended because it was asked to end: ")
    assert lines[-1].endswith("Report: report.html")
