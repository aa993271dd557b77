"""Writes the function that makes a rule's answers, since it runs for every message.

Like the codec it is straight-line code from data: which elements of the request go back, and by which
expression each added one is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pos_host.clock import Instant
from pos_host.ledger.decision import Decision
from pos_host.ledger.entry import APPROVALS
from pos_specs.message import Message

Plan = Callable[[Message, Decision, Instant], Message]


def compile_plan(mti: str, sure: Mapping[int, str], possible: Mapping[int, str], names: Mapping[str, Any]) -> Plan:
    """The compiled plan: elements that every answer has, and those that are left out when their value is empty.

    The values are source text that may use `message` and its fields `f`, `decision`, `at`, `approved` and `names`;
    a possible one also the answer so far, `r`.
    """
    scope = {"Message": Message, "APPROVALS": APPROVALS, **names}
    exec(compile(write_plan(mti, sure, possible), "<answer>", "exec"), scope)
    function: Plan = scope["answer"]
    return function


def write_plan(mti: str, sure: Mapping[int, str], possible: Mapping[int, str]) -> str:
    """The plan's source text."""
    lines = [
        "def answer(message, decision, at):",
        "    f = message.fields",
        "    approved = decision.outcome in APPROVALS",
        f"    r = {{{', '.join(f'{number}: {expression}' for number, expression in sure.items())}}}",
    ]
    for number, expression in possible.items():
        lines += [f"    v = {expression}", f"    if v: r[{number}] = v"]
    return "\n".join([*lines, f"    return Message({mti!r}, r)", ""])
