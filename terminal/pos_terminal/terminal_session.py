"""One command of one terminal, or a dialogue of several, from its memory file and back into it, told as it goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

import typer

from pos_specs.currencies import find_currency, show_amount
from pos_specs.language import Language
from pos_specs.message import Message
from pos_terminal.applications import application_for
from pos_terminal.applications.application import Application
from pos_terminal.cli_terminal_options import TerminalOptions
from pos_terminal.client import Client
from pos_terminal.commands import Command
from pos_terminal.dialogue import Dialogue, Told
from pos_terminal.exchange import ClosedBatch, Exchange, Result
from pos_terminal.memory import Memory
from pos_terminal.memory_file import MemoryFile
from pos_terminal.receipt import slip
from pos_terminal.terminal import Terminal


def run_command(options: TerminalOptions, make: Callable[[Memory, Language], Command]) -> int:
    """Carry out what `make` makes of the terminal's memory; gives the exit code.

    Raises what is wrong with the usage, NotNow, and NoConnection.
    """
    with _at_work(options) as session:
        command = make(session.terminal.memory, session.terminal.language)
        result = asyncio.run(session.perform(command))
        session.printer.finish(result, session.terminal.memory)
    return _exit_code(options, result)


def run_dialogue(options: TerminalOptions, begin: Callable[[Language, Application], Dialogue]) -> int:
    """Carry out the commands of a dialogue as long as each is approved, and tell what it came to; gives the exit code.

    Raises as `run_command`, and whatever the dialogue says of its answers.
    """
    with _at_work(options) as session:
        terminal = session.terminal
        dialogue = begin(terminal.language, terminal.application)
        result, told = asyncio.run(session.talk(dialogue))
        session.printer.finish(result, terminal.memory)
        if told is not None:
            session.printer.told(told)
    return _exit_code(options, result)


@contextmanager
def _at_work(options: TerminalOptions) -> Iterator[_Session]:
    """The terminal of these options, its memory kept from others until the block ends."""
    language = options.language()
    application = application_for(language, options.totals_digits)
    tls, pad = options.tls.context(), options.pad_settings()
    with MemoryFile(options.memory_path()) as file:
        memory = file.load(language.name, options.terminal_id, options.merchant_id)
        terminal = Terminal(language, memory, datetime.now, application, pad=pad)
        client = Client(*options.address(), language, timeout_s=options.timeout, keep=file.save, tls=tls)
        yield _Session(terminal, client, Printer(options, language))


class _Session(NamedTuple):
    """A terminal, its line, and who tells of it."""

    terminal: Terminal
    client: Client
    printer: Printer

    async def perform(self, command: Command) -> Result:
        """One command, told exchange by exchange."""
        try:
            return await self.client.perform(self.terminal, command, self.printer.exchange)
        finally:
            await self.client.close()

    async def talk(self, dialogue: Dialogue) -> tuple[Result, Told | None]:
        """Command after command; the last result, and what was told unless a command failed before."""
        answers: list[Message] = []

        def tell(exchange: Exchange) -> None:
            self.printer.exchange(exchange)
            if exchange.response is not None:
                answers.append(exchange.response)

        try:
            command = next(dialogue)
            while (result := await self.client.perform(self.terminal, command, tell)).approved:
                try:
                    command = dialogue.send(answers[-1])
                except StopIteration as end:
                    return result, end.value
            return result, None
        finally:
            await self.client.close()


def _exit_code(options: TerminalOptions, result: Result) -> int:
    """0 when it was done, whatever the answer; 1 without an answer or when another one was expected."""
    if not result.answered:
        return 1
    known = {result.code, result.closed.result if result.closed is not None else None}
    return 0 if options.expect is None or options.expect in known else 1


class Printer:
    """Prints exchanges as they happen; as JSON each is held until its successor shows that it was not the last."""

    def __init__(self, options: TerminalOptions, language: Language) -> None:
        self._options = options
        self._language = language
        self._last: dict[str, Any] | None = None

    def exchange(self, exchange: Exchange) -> None:
        """Tell of one exchange."""
        if self._options.as_json:
            self._flush()
            self._last = exchange.to_json(self._language)
        else:
            typer.echo(_line(self._language, exchange))

    def finish(self, result: Result, memory: Memory) -> None:
        """Tell what the command came to."""
        text = self._receipt(result, memory)
        if self._options.as_json:
            if text and self._last is not None:
                self._last["receipt"] = text
            self._flush()
        elif text:
            typer.echo(f"\n{text}")
        if not self._options.as_json and result.closed is not None:
            typer.echo(_closed_line(result.closed, self._language))
        if result.reason and (not result.answered or not self._options.as_json):
            typer.echo(f"pos-terminal: {result.reason}", err=not result.answered)

    def told(self, told: Told) -> None:
        """Tell what a dialogue has brought."""
        if self._options.as_json:
            typer.echo(json.dumps(told.document, ensure_ascii=False))
        else:
            for line in told.lines:
                typer.echo(line)

    def _receipt(self, result: Result, memory: Memory) -> str:
        if not self._options.receipt or result.transaction is None or result.code is None:
            return ""
        meaning = self._language.dialect.codes.get(result.code)
        return slip(result.transaction, memory, result.code, meaning.en if meaning else "")

    def _flush(self) -> None:
        if self._last is not None:
            typer.echo(json.dumps(self._last, ensure_ascii=False))
            self._last = None


def _line(language: Language, exchange: Exchange) -> str:
    """`purchase 000012: 00 Approved, rrn …, batch 000001, 1.9 ms`."""
    fields = exchange.response.fields if exchange.response is not None else {}
    stan = exchange.request.fields.get(11)
    parts = [_answer(language, exchange)]
    if fields.get(37):
        parts.append(f"rrn {fields[37]}")
    parts += _balances(language, exchange)
    if exchange.batch_number is not None:
        parts.append(f"batch {exchange.batch_number}")
    if exchange.given_up:
        parts.append("given up")
    if exchange.distrusted:
        parts.append("not believed")
    parts.append(f"{exchange.latency_ms or 0:.1f} ms")
    return f"{exchange.function}{f' {stan}' if stan else ''}: {', '.join(parts)}"


def _balances(language: Language, exchange: Exchange) -> list[str]:
    """What a balance's answer says is on the card, in words."""
    if exchange.response is None or exchange.function != "balance":
        return []
    found = language.parts.of(exchange.response, 54) or {}
    shown = []
    for record in found.get("records", ()):
        currency = find_currency(record["currency"])
        amount_minor = int(record["amount"]) * (-1 if record["sign"] == "D" else 1)
        shown.append(f"balance {currency.code} {show_amount(amount_minor, currency)}")
    return shown


def _answer(language: Language, exchange: Exchange) -> str:
    if exchange.response is None:
        return "no answer"
    if exchange.code is None:
        return "accepted" if exchange.approved else "refused"
    text = language.dialect.codes.get(exchange.code)
    return f"{exchange.code} {text.en if text else 'unknown code'}"


def _closed_line(closed: ClosedBatch, language: Language) -> str:
    currency = find_currency(language.dialect.currency)
    debit, credit = closed.books
    return (
        f"batch {closed.batch_number} {closed.result.replace('_', ' ')}: "
        f"debit {debit.count} {show_amount(debit.amount_minor, currency)}, "
        f"credit {credit.count} {show_amount(credit.amount_minor, currency)}"
    )
