"""A host that says what a test tells it to, and approves everything else."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from pos_specs.cards import organisation, pan_of_track2
from pos_specs.dialect import FunctionRule
from pos_specs.language import Language, open_language
from pos_specs.message import Message, reply_mti
from pos_specs.security.hypercom_keys import build_logon
from pos_specs.security.keys import WorkingKeys
from pos_specs.security.mac import make_mac
from pos_specs.security.unionpay_keys import build_key_block
from pos_terminal.applications import application_for
from pos_terminal.commands import Command
from pos_terminal.exchange import Exchange, Result
from pos_terminal.memory import Memory, memory_from, memory_table
from pos_terminal.pin_pad import TEST_TMK, PadSettings
from pos_terminal.states import Event, State
from pos_terminal.terminal import Terminal

MAC = 64
MERCHANT = "898000000000001"
NOW = datetime(2026, 3, 2, 20, 15, 30)

Changes = Mapping[int, str | None] | None
"""What differs from the usual answer: elements set, or left out (None); the whole None means no answer."""


class ScriptedHost:
    """Answers requests of one dialect; `requests` is everything it got.

    With `keys` it gives them out at a sign-in, and answers a message that has a MAC with one; `macs` says of each
    whether it was right.
    """

    def __init__(self, dialect: str) -> None:
        self.language: Language = open_language(dialect)
        self.requests: list[Message] = []
        self.answer_delay_s = 0.0
        self.keys: WorkingKeys | None = None
        self.macs: list[bool] = []
        self._scripts: dict[str, deque[Changes]] = defaultdict(deque)
        self._count = 0

    def will(self, function: str, *answers: Changes) -> None:
        """Answer the next requests of `function` so."""
        self._scripts[function].extend(answers)

    def answer(self, request: Message) -> Message | None:
        """The answer, or None when it is lost."""
        self.requests.append(request)
        route = self.language.route(request)
        assert route is not None, f"no function for {request.mti}"
        rule = route.rule
        assert route.missing is None, f"{rule.name} lacks {route.missing}"
        changes = self._scripts[rule.name].popleft() if self._scripts[rule.name] else {}
        if changes is None:
            return None
        fields = {number: request.fields[number] for number in rule.echo if number in request.fields}
        fields |= {number: value for number, value in self._made(request, rule).items() if number in rule.add}
        if rule.code_only_on_error:
            fields.pop(39, None)
        fields |= {number: value for number, value in changes.items() if value is not None}
        for number in [number for number, value in changes.items() if value is None]:
            fields.pop(number, None)
        answer = Message(reply_mti(request.mti), dict(sorted(fields.items())))
        if MAC in request.fields and self.keys is not None:
            self.macs.append(request.fields[MAC] == self.mac_of(request))
            if MAC not in changes:
                answer.fields[MAC] = self.mac_of(answer)
        return answer

    def mac_of(self, message: Message) -> str:
        """DE64 of a message under the keys that this host gives out."""
        assert self.keys is not None
        fields = {**message.fields, MAC: "0" * 16}
        data = self.language.encode(Message(message.mti, dict(sorted(fields.items())), message.pads))
        covered = data[: -self.language.dialect.elements[MAC].wire_bytes]
        return make_mac(self.language.dialect.security.mac, self.keys.mac, covered).hex().upper()

    def of(self, function: str) -> list[Message]:
        """The requests of one function."""
        named = [(self.language.function_of(request), request) for request in self.requests]
        return [request for rule, request in named if rule is not None and rule.name == function]

    def functions(self) -> list[str]:
        """The functions asked for, in order."""
        rules = [self.language.function_of(request) for request in self.requests]
        return [rule.name for rule in rules if rule is not None]

    def _made(self, request: Message, rule: FunctionRule) -> dict[int, str]:
        self._count += 1
        pan = request.fields.get(2) or pan_of_track2(request.fields.get(35, ""))
        made = {
            12: "201531",
            13: "0302",
            15: "0302",
            32: "00010000",
            37: f"{self._count:012d}",
            38: f"{self._count:06d}",
            39: rule.outcomes.get("approved", self.language.dialect.outcomes["approved"]),
            60: request.fields.get(60, ""),
            63: organisation(pan),
            66: "1",
        }
        if self.keys is not None and request.mti == "0800":
            made[62] = self._key_element()
        totals = request.fields.get(48, "")
        if len(totals) in (31, 62):
            made[48] = with_codes(totals, "1", "1")
        return {number: value for number, value in made.items() if value}

    def _key_element(self) -> str:
        assert self.keys is not None
        if self.language.dialect.security.keys == "hypercom":
            return build_logon(TEST_TMK, self.keys).decode("latin-1")
        return build_key_block(TEST_TMK, self.keys).hex().upper()


def with_codes(totals: str, domestic: str, foreign: str) -> str:
    """DE48 of totals with these reconciliation codes."""
    marked = totals[:30] + domestic + totals[31:]
    return marked[:61] + foreign if len(marked) == 62 else marked


def a_terminal(
    dialect: str,
    memory: Memory | None = None,
    totals_digits: int | None = None,
    watch: Callable[[State, Event, State], None] | None = None,
    pad: PadSettings | None = None,
) -> Terminal:
    """A terminal with an empty memory or the given one, at a fixed time."""
    language = open_language(dialect)
    memory = memory or Memory(dialect, "T0000001", MERCHANT)
    return Terminal(language, memory, lambda: NOW, application_for(language, totals_digits), watch, pad)


def exchanges(terminal: Terminal, host: ScriptedHost, command: Command) -> Iterator[Exchange]:
    """Carry out a command, one exchange at a time."""
    terminal.begin(command)
    while (request := terminal.next_request()) is not None:
        answer = host.answer(request)
        exchange = None if answer is None else terminal.receive(answer)
        yield exchange or terminal.no_answer()


def carry_out(terminal: Terminal, host: ScriptedHost, command: Command) -> Result:
    """Carry out a command to its result."""
    for _ in exchanges(terminal, host, command):
        pass
    assert terminal.result is not None
    return terminal.result


def after_power_cut(terminal: Terminal, totals_digits: int | None = None) -> Terminal:
    """The same terminal switched on again, with what it had written down."""
    table: dict[str, Any] = json.loads(json.dumps(memory_table(terminal.memory)))
    return a_terminal(terminal.language.name, memory_from(table), totals_digits)
