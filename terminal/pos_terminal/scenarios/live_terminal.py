"""One terminal of a scenario at its line: what a step asks of it, and what befalls it on the way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from pos_specs.errors import MessageError, SpecsError
from pos_specs.frame import Frame
from pos_specs.framing import Framer, join_frame
from pos_specs.language import Language
from pos_specs.message import Message, reply_mti
from pos_terminal.addresses import Address
from pos_terminal.client import CONNECT_TIMEOUT_S, TPDU, Line, NoConnection, frame_of, why_not
from pos_terminal.commands import Command
from pos_terminal.exchange import Exchange, Result
from pos_terminal.memory import Memory, memory_from, memory_table
from pos_terminal.pin_pad import PadSettings
from pos_terminal.scenarios.step_arguments import Accident, AccidentKind, Alter, Composed, Raw
from pos_terminal.scenarios.step_commands import StepImpossible
from pos_terminal.terminal import Terminal

SECOND_ANSWER_S = 0.5
"""How long a second answer to a message sent twice is waited for: the host answers what it remembers at once."""

POWER_WENT = "the power went"


class Performed(NamedTuple):
    """What came of a step: its exchanges in order, the result of a command, and the answer after the answer.

    `result` is None for messages that no command made. `closed`: the host hung up.
    """

    exchanges: list[Exchange]
    result: Result | None = None
    second: Message | None = None
    closed: bool = False

    @property
    def last(self) -> Exchange | None:
        """The exchange that ended the step."""
        return self.exchanges[-1] if self.exchanges else None


class Plan(NamedTuple):
    """What befalls the messages of one step. `own` is the step's own function, "" for whatever it sends."""

    own: str
    alter: Alter | None
    accident: Accident | None
    timeout_s: float

    def alters(self, function: str) -> bool:
        """Whether messages of this function are changed."""
        return self.alter is not None and (self.alter.at or self.own) in ("", function)

    def befalls(self, function: str, count: int) -> AccidentKind | None:
        """What goes wrong with the `count`th message of this function."""
        accident = self.accident
        if accident is None or (accident.at or self.own) not in ("", function) or accident.nth != count:
            return None
        return accident.kind


class LiveTerminal:
    """A terminal that sends what steps say to the host at `address`; `clock` gives its local time."""

    def __init__(
        self, language: Language, memory: Memory, pad: PadSettings, address: Address, clock: Callable[[], datetime]
    ) -> None:
        self.language = language
        self._pad = pad
        self._address = address
        self._clock = clock
        self._line: Line | None = None
        self._last_request: Message | None = None
        self.terminal = self._made(memory)

    @property
    def memory(self) -> Memory:
        """What the terminal remembers."""
        return self.terminal.memory

    async def perform(self, command: Command, plan: Plan) -> Performed:
        """Carry out a command; raises what `Terminal.begin` raises, NoConnection and StepImpossible."""
        self.terminal.begin(command)
        exchanges: list[Exchange] = []
        counts: dict[str, int] = {}
        second = None
        while (request := self.terminal.next_request()) is not None:
            function = self._function(request)
            counts[function] = counts.get(function, 0) + 1
            if plan.alter is not None and plan.alters(function):
                self._alter(request, plan.alter, function)
            self._last_request = request
            kind = plan.befalls(function, counts[function])
            if kind in ("power_cut_before_sending", "power_cut_after_sending"):
                return await self._without_power(kind, exchanges, request, function)
            exchange, came = await self._exchange(request, kind, plan.timeout_s)
            second = came or second
            exchanges.append(exchange)
        return Performed(exchanges, self.terminal.result, second, self._line is not None and self._line.closed)

    async def send(self, given: Composed, timeout_s: float) -> Performed:
        """Send a message made by hand; raises NoConnection and StepImpossible."""
        request = self._composed(given)
        self._last_request = request
        return await self._send_bytes(self._bytes_of(request), request, timeout_s)

    async def send_raw(self, given: Raw, timeout_s: float) -> Performed:
        """Send bytes; raises NoConnection and StepImpossible."""
        try:
            data = bytes.fromhex(given.hex)
        except ValueError:
            raise StepImpossible("hex: is not hexadecimal") from None
        if given.framed:
            framing = self.language.dialect.framing
            tpdu = b"" if framing.tpdu == "none" else TPDU
            try:
                data = join_frame(framing, Frame(tpdu, framing.envelope.header.sent, data))
            except SpecsError as error:
                raise StepImpossible(f"hex: {error}") from None
        return await self._send_bytes(data * (2 if given.twice else 1), Message("", {}), timeout_s, given.pieces_of)

    async def connect(self) -> None:
        """Have a line to the host; raises NoConnection."""
        await self._connected()

    def hang_up(self) -> None:
        """End the connection; the next message makes a new one."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def lose_power(self) -> None:
        """Go on from the memory alone, as after a power cut."""
        self.hang_up()
        keys = self.memory.keys
        self.terminal = self._made(replace(memory_from(memory_table(self.memory)), keys=keys))

    # ------------------------------------------------------------ one message and its answer

    async def _exchange(
        self, request: Message, kind: AccidentKind | None, timeout_s: float
    ) -> tuple[Exchange, Message | None]:
        line = await self._connected()
        began = time.perf_counter()
        if kind == "line_cut_before_sending":
            self.hang_up()
            return self.terminal.no_answer("the line was cut"), None
        data = self._bytes_of(request)
        await _write(line, data * 2 if kind == "sent_twice" else data, 1 if kind == "sent_in_pieces" else 0)
        if kind == "line_cut_after_sending":
            self.hang_up()
            return self.terminal.no_answer("the line was cut"), None
        exchange = second = None
        try:
            async with asyncio.timeout(timeout_s):
                if kind == "answer_lost":
                    await self._answer_to(line, request)
                else:
                    exchange = await self._believed(line)
        except TimeoutError:
            pass
        if exchange is None:
            exchange = self.terminal.no_answer("the answer was lost" if kind == "answer_lost" else line.ending)
        exchange.latency_ms = (time.perf_counter() - began) * 1000
        if kind == "sent_twice":
            second = await self._within(line, SECOND_ANSWER_S)
        return exchange, second

    async def _believed(self, line: Line) -> Exchange | None:
        """The exchange made by the first answer that the terminal takes for its own."""
        while (frame := await line.next_frame()) is not None:
            try:
                answer = self.language.decode(frame.body)
            except MessageError:
                continue
            exchange = self.terminal.receive(answer)
            if exchange is not None:
                self.terminal.heed_header(frame.header)
                return exchange
        return None

    async def _answer_to(self, line: Line, request: Message) -> Message | None:
        """The first message that answers `request`, whatever else it says; None when the connection ended."""
        while (frame := await line.next_frame()) is not None:
            try:
                answer = self.language.decode(frame.body)
            except MessageError:
                continue
            if answer.mti == reply_mti(request.mti) and answer.fields.get(11) == request.fields.get(11):
                return answer
        return None

    async def _within(self, line: Line, timeout_s: float) -> Message | None:
        """Whatever message comes next in that time."""
        try:
            async with asyncio.timeout(timeout_s):
                while (frame := await line.next_frame()) is not None:
                    try:
                        return self.language.decode(frame.body)
                    except MessageError:
                        continue
        except TimeoutError:
            pass
        return None

    async def _without_power(
        self, kind: AccidentKind, exchanges: list[Exchange], request: Message, function: str
    ) -> Performed:
        if kind == "power_cut_after_sending":
            (await self._connected()).write(self._bytes_of(request))
        self.lose_power()
        batch_number = self.memory.batch_number if self.terminal.application.names_batch else None
        cut = Exchange(function, request, None, None, False, batch_number)
        return Performed([*exchanges, cut], Result(answered=False, reason=POWER_WENT))

    async def _send_bytes(self, data: bytes, request: Message, timeout_s: float, piece_bytes: int = 0) -> Performed:
        line = await self._connected()
        began = time.perf_counter()
        await _write(line, data, piece_bytes)
        answer = await self._within(line, timeout_s)
        code = None if answer is None else answer.fields.get(39)
        approved = code in self.terminal.application.approved
        exchange = Exchange(self._function(request), request, answer, code, approved, None)
        exchange.latency_ms = (time.perf_counter() - began) * 1000
        second = None
        if answer is not None and not line.closed:
            second = await self._within(line, 0.02) if request.mti == "" else None
        return Performed([exchange], None, second, line.closed)

    # ------------------------------------------------------------ messages

    def _alter(self, request: Message, alter: Alter, function: str) -> None:
        if alter.mti is not None:
            request.mti = alter.mti
        _change(request, alter.set, alter.omit)
        mac_elements = {"64", "128"}
        if alter.mac and not mac_elements & {*alter.set, *alter.omit}:
            self._sign(request, function)

    def _composed(self, given: Composed) -> Message:
        last = self._last_request
        if given.like == "last_request":
            if last is None:
                raise StepImpossible("like: this terminal has sent nothing yet")
            request = Message(given.mti or last.mti, dict(last.fields))
        elif given.mti is None:
            raise StepImpossible("mti: is missing")
        else:
            request = Message(given.mti, {})
        _change(request, given.set, given.omit)
        if given.mac and not {"64", "128"} & {*given.set, *given.omit}:
            self._sign(request, self._function(request))
        return request

    def _sign(self, request: Message, function: str) -> None:
        try:
            self.terminal.pin_pad.sign_again(function, request)
        except SpecsError as error:
            raise StepImpossible(str(error)) from None

    def _bytes_of(self, request: Message) -> bytes:
        try:
            return frame_of(self.language, request)
        except SpecsError as error:
            raise StepImpossible(str(error)) from None

    def _function(self, request: Message) -> str:
        rule = self.language.function_of(request) if request.mti else None
        return "unsupported" if rule is None else rule.name

    # ------------------------------------------------------------ line and power

    async def _connected(self) -> Line:
        if self._line is None or self._line.closed:
            framing = self.language.dialect.framing
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    _, self._line = await asyncio.get_running_loop().create_connection(
                        lambda: Line(Framer(framing)), self._address.host, self._address.port
                    )
            except (OSError, TimeoutError) as error:
                raise NoConnection(f"{self._address}: {why_not(error)}") from None
        return self._line

    def _made(self, memory: Memory) -> Terminal:
        return Terminal(self.language, memory, self._clock, pad=self._pad)


async def _write(line: Line, data: bytes, piece_bytes: int) -> None:
    """All at once, or with `piece_bytes` in segments of so many."""
    for start in range(0, len(data), piece_bytes or len(data)):
        line.write(data[start : start + (piece_bytes or len(data))])
        await asyncio.sleep(0)


def _change(request: Message, values: dict[str, str], omit: list[str]) -> None:
    """Set and leave out elements; raises StepImpossible for a number that is none."""
    for text in (*values, *omit):
        if not (text.isascii() and text.isdigit() and 2 <= int(text) <= 128):
            raise StepImpossible(f"element {text!r}: from 2 to 128")
    fields = {**request.fields, **{int(number): value for number, value in values.items()}}
    for number in omit:
        fields.pop(int(number), None)
    request.fields = dict(sorted(fields.items()))
