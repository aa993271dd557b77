"""Plays a conversation written as text against a host in this process, and writes down what was said.

A block is a line with a command, `----`, and the trace: what the terminal sent, what the host answered, and
what the host kept in its journal. Card numbers are masked, as everywhere.

    terminal unionpay T0000001         a terminal of that dialect
    sign_in | sign_off | echo
    purchase 12.34 as coffee           card=visa for another card; the name is for later
    void coffee | refund coffee 4.00 as back | reverse coffee | again coffee
    auth 50.00 as room | raise room 25.00 | void_auth room
    complete room 48.00 as bill | tell_completion room 48.00 | void_completion bill
    offline 25.00 as taxi | adjust coffee 13.50
    settle debit 1 12.34 credit 0 0    foreign_debit, sales, refunds, debits … as the dialect's groups are called
    trailer sales 1 12.34              Hypercom's 0500/960000
    upload coffee tea                  amount=9.99 for what the terminal says it was
    end_upload 2                       code=207 after a balanced settlement
    policy auto_settle=23:30           the host settles then; before the terminal is named
    batch 000002                       the number the terminal goes on with
    host_settles                       at an operator's word
    clock PT3H | restart               time passes; the host starts again from its journal
    batches | discrepancies 000001 | authorisations     what the API shows
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Awaitable, Callable
from datetime import time
from pathlib import Path
from typing import Any

from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import (
    MASTERCARD,
    OTHER_CARD,
    UNIONPAY_CARD,
    VISA_CARD,
    Exchange,
    HypercomTerminal,
    Iso87Terminal,
    UnionPayTerminal,
)

from pos_host.settlement.policy import load_policy
from pos_host.views import batch_view, live_row
from pos_specs.language import Language
from pos_specs.masking import mask_fields, mask_parts
from pos_specs.message import Message
from pos_specs.totals import Side, Totals

RULE = "----"
CARDS = {"unionpay": UNIONPAY_CARD, "other": OTHER_CARD, "visa": VISA_CARD, "mastercard": MASTERCARD}
SHOWN_IN_PARTS = (48, 63)
"""Elements that hold totals and records; the others are as easily read whole."""

TOLD_WHOLE = ("batch_closed", "unsettled", "host_settlement", "late_totals")
"""Kinds of entries that are shown with their detail."""

KINDS = {"unionpay": UnionPayTerminal, "hypercom": HypercomTerminal, "iso87-ascii": Iso87Terminal}
UNIONPAY_SIDES = {"debit": "domestic_debit", "credit": "domestic_credit"}


def commands_of(path: Path) -> tuple[list[str], list[str]]:
    """The comment lines at the head of a file, and its commands in order."""
    lines = path.read_text("utf-8").splitlines()
    head = []
    for line in lines:
        if not line.startswith("#"):
            break
        head.append(line)
    return head, [lines[place - 1] for place, line in enumerate(lines) if line == RULE]


async def play(path: Path) -> str:
    """The whole text of the file as it should be."""
    head, commands = commands_of(path)
    conversation = Conversation()
    blocks = ["\n".join(head)] if head else []
    for command in commands:
        trace = await conversation.run(command)
        blocks.append("\n".join([command, RULE, *trace]))
    return "\n\n".join(blocks) + "\n"


class Conversation:
    """One host and one terminal at a time."""

    def __init__(self) -> None:
        self.host = HostInProcess()
        self.terminal: Any = None
        self.named: dict[str, Exchange] = {}

    async def run(self, command: str) -> list[str]:
        """The trace of one command line."""
        words, name = _split_name(command.split())
        options = dict(word.split("=", 1) for word in words if "=" in word)
        verb, *arguments = [word for word in words if "=" not in word]
        kept = len(self.host.memory.entries)
        does: Callable[..., Awaitable[Exchange | list[str]]] = getattr(self, f"do_{verb}")
        done = await does(*arguments, **options)
        if isinstance(done, list):
            return done
        if name:
            self.named[name] = done
        return [*_exchange(self.terminal.line.language, done), *self._journal(kept)]

    # -- commands

    async def do_terminal(self, dialect: str, terminal_id: str) -> list[str]:
        self.terminal = KINDS[dialect](self.host, terminal_id)
        return []

    async def do_sign_in(self) -> Exchange:
        return await self.terminal.sign_in()

    async def do_sign_off(self) -> Exchange:
        return await self.terminal.sign_off()

    async def do_echo(self) -> Exchange:
        return await self.terminal.echo()

    async def do_purchase(self, amount: str, card: str = "unionpay", **changes: str) -> Exchange:
        return await self.terminal.purchase(_minor(amount), CARDS[card], **changes)

    async def do_void(self, name: str) -> Exchange:
        return await self.terminal.void(self.named[name])

    async def do_refund(self, name: str, amount: str) -> Exchange:
        return await self.terminal.refund(self.named[name], _minor(amount))

    async def do_auth(self, amount: str, card: str = "unionpay") -> Exchange:
        return await self.terminal.auth(_minor(amount), CARDS[card])

    async def do_raise(self, name: str, amount: str) -> Exchange:
        first = self.named[name]
        code = first.answer.fields[38]
        return await self.terminal.auth(_minor(amount), first.request.fields[2], f25="60", f38=code)

    async def do_void_auth(self, name: str) -> Exchange:
        return await self.terminal.auth_void(self.named[name])

    async def do_complete(self, name: str, amount: str) -> Exchange:
        return await self.terminal.complete(self.named[name], _minor(amount))

    async def do_tell_completion(self, name: str, amount: str) -> Exchange:
        return await self.terminal.tell_completion(self.named[name], _minor(amount))

    async def do_void_completion(self, name: str) -> Exchange:
        return await self.terminal.completion_void(self.named[name])

    async def do_offline(self, amount: str, card: str = "unionpay") -> Exchange:
        return await self.terminal.offline_purchase(_minor(amount), CARDS[card])

    async def do_adjust(self, name: str, amount: str) -> Exchange:
        return await self.terminal.adjust(self.named[name], _minor(amount))

    async def do_reverse(self, name: str, **more: str) -> Exchange:
        return await self.terminal.reverse(self.named[name].request, **more)

    async def do_again(self, name: str) -> Exchange:
        return await self.terminal.again(self.named[name])

    async def do_settle(self, *totals: str, **more: str) -> Exchange:
        digits = {name: int(value) for name, value in more.items()}
        return await self.terminal.settle(self._totals(totals), **digits)

    async def do_trailer(self, *totals: str) -> Exchange:
        return await self.terminal.settle(self._totals(totals), trailer=True)

    async def do_upload(self, *names: str, amount: str = "") -> Exchange:
        sold = [self.named[name] for name in names]
        if isinstance(self.terminal, UnionPayTerminal):
            records = [
                (one.stan, one.request.fields[2], _minor(amount) if amount else one.amount_minor) for one in sold
            ]
            return await self.terminal.upload(*records)
        changes = {"f4": f"{_minor(amount):012d}"} if amount else {}
        return await self.terminal.upload(sold[0], **changes)

    async def do_end_upload(self, count: str, code: str = "202") -> Exchange:
        return await self.terminal.end_upload(int(count), code)

    async def do_policy(self, auto_settle: str) -> list[str]:
        rules = dataclasses.replace(load_policy(None), auto_settle=time.fromisoformat(auto_settle))
        self.host = HostInProcess(policy=rules)
        return []

    async def do_batch(self, number: str) -> list[str]:
        self.terminal.batch = number
        return []

    async def do_host_settles(self) -> list[str]:
        kept = len(self.host.memory.entries)
        await self.host.office.settle(self.terminal.ids[41], None)
        return self._journal(kept)

    async def do_clock(self, duration: str) -> list[str]:
        kept = len(self.host.memory.entries)
        moved = await self.host.office.advance_clock(duration)
        return [f"now {moved['now']}", *self._journal(kept)]

    async def do_restart(self) -> list[str]:
        self.host = self.host.twin()
        self.terminal.host, self.terminal.line = self.host, self.host.connect(self.terminal.dialect)
        return []

    async def do_batches(self) -> list[str]:
        lines = []
        for row in reversed(await self.host.journal.batches_of(1, 0, 100)):
            book = self.host.registry.of_no(row.terminal_no)
            assert book is not None
            view = batch_view(live_row(book, row), book.merchant_id, book.terminal_id)
            lines.append(
                f"{view['number']} {view['state']} {view['result'] or '-'}"
                f" debit {_side(view['debit'])} credit {_side(view['credit'])} discrepancies {view['discrepancies']}"
            )
        return lines

    async def do_authorisations(self) -> list[str]:
        lines = []
        for item in self.host.office.authorisations(100, 0, None, None)["items"]:
            completed = f" completed {_major(item['completed_minor'])}" if item["completed_minor"] is not None else ""
            lines.append(f"{item['approval_code']} {item['state']} {_major(item['amount_minor'])}{completed}")
        return lines or ["none"]

    async def do_discrepancies(self, number: str) -> list[str]:
        batch = self.host.book(self.terminal.ids[41]).batch_numbered(number)
        assert batch is not None
        found = await self.host.office.discrepancies(batch.batch_id)
        return [json.dumps(item) for item in found["items"]] or ["none"]

    # -- traces

    def _totals(self, words: tuple[str, ...]) -> Totals:
        names = UNIONPAY_SIDES if isinstance(self.terminal, UnionPayTerminal) else {}
        triples = [words[place : place + 3] for place in range(0, len(words), 3)]
        return {names.get(name, name): Side(int(count), _minor(amount)) for name, count, amount in triples}

    def _journal(self, kept: int) -> list[str]:
        lines = []
        for stored in self.host.memory.entries[kept:]:
            entry = stored.entry
            money = f" {_major(entry.amount_minor)}" if entry.amount_minor else ""
            detail = f" {entry.detail}" if entry.detail and entry.kind in TOLD_WHOLE else ""
            lines.append(f"+ {entry.kind} {entry.outcome}{money}{detail}")
        return lines


def _split_name(words: list[str]) -> tuple[list[str], str]:
    if "as" not in words:
        return words, ""
    place = words.index("as")
    return words[:place] + words[place + 2 :], words[place + 1]


def _exchange(language: Language, exchange: Exchange) -> list[str]:
    rule = language.function_of(exchange.request)
    function = rule.name if rule is not None else "unsupported"
    return [
        f"> {exchange.request.mti} {function}",
        *_elements(language, exchange.request),
        f"< {exchange.answer.mti}",
        *_elements(language, exchange.answer),
    ]


def _elements(language: Language, message: Message) -> list[str]:
    parts = mask_parts(language, message)
    lines = []
    for number, value in mask_fields(language, message).items():
        name = language.dialect.elements[int(number)].name
        lines.append(f"  {number:>2} {name} {value}".rstrip())
        if int(number) in SHOWN_IN_PARTS:
            lines += [
                f"       {part} {_part(text)}".rstrip() for part, text in parts.get(number, {}).items() if _says(text)
            ]
    return lines


def _says(value: Any) -> bool:
    """Whether a part holds more than zeros."""
    return isinstance(value, list) or bool(value.strip("0 "))


def _part(value: Any) -> str:
    return json.dumps(value) if isinstance(value, list) else str(value)


def _minor(amount: str) -> int:
    units, _, cents = amount.partition(".")
    return int(units) * 100 + int(cents.ljust(2, "0"))


def _major(amount_minor: int) -> str:
    return f"{amount_minor // 100}.{amount_minor % 100:02d}"


def _side(side: dict[str, int]) -> str:
    return f"{side['count']} × {_major(side['amount_minor'])}"
