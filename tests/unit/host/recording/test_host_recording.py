"""What a host records of itself: answers as they were made, and with a fault on the line what really went out."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest
from tests.patience import HANGING_S
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import MERCHANT, UNIONPAY_CARD

from pos_host.recording.host_recording import CUT_OFF, HostRecording
from pos_host.recording.recorder import Recorder
from pos_host.server import Listener
from pos_specs.framing import Frame, Framer, join_frame
from pos_specs.language import open_language
from pos_specs.message import Message

LANGUAGE = open_language("unionpay")


def sale(stan: int) -> bytes:
    fields = {2: UNIONPAY_CARD, 3: "000000", 4: "000000001000", 11: f"{stan:06d}", 22: "012", 25: "00"}
    fields |= {41: "T0000001", 42: MERCHANT, 49: "156", 60: "22000001000500"}
    frame = Frame(bytes.fromhex("6000030001"), bytes.fromhex("603100311001"), LANGUAGE.encode(Message("0200", fields)))
    return join_frame(LANGUAGE.dialect.framing, frame)


class Recorded:
    """A host that records itself, and a terminal of its own; `heard` is all that came to the terminal."""

    def __init__(self) -> None:
        self.out = io.StringIO()
        self.host = HostInProcess()
        self.told: list[OSError] = []
        recorder = Recorder(self.out, lambda count: bytes(count), "a test", self.host.clock.now_ms())
        self.recording = HostRecording(recorder, self.host.clock.now_ms, self.told.append)
        exchanges = self.host.pipeline.exchanges
        exchanges.watchers.append(self.recording.exchange)
        exchanges.tap = self.recording.opened
        self.heard = b""

    async def live(self, *stans: int, answered: bool = True) -> None:
        """Purchases one after the other over one connection, each waiting for what comes where it is `answered`."""
        listener = Listener(self.host.pipeline, LANGUAGE)
        _, port = await listener.open("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(HANGING_S):
            for stan in stans:
                before = len(self.heard)
                writer.write(sale(stan))
                await self.host.quiet()
                while answered and (piece := await reader.read(4096)):
                    self.heard += piece
                    if self._is_answered(before):
                        break
            writer.close()
            while listener.connections:  # noqa: ASYNC110 - nobody is told of its end
                await asyncio.sleep(0)
        listener.stop_accepting()

    def _is_answered(self, before: int) -> bool:
        return Framer(LANGUAGE.dialect.framing).receive_data(self.heard[before:]) != []

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()[1:]]

    def to_terminal(self) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["direction"] == "to_terminal"]

    def stans(self) -> list[str]:
        """Of the answers that were recorded, in their order."""
        frames = [Framer(LANGUAGE.dialect.framing).receive_data(bytes.fromhex(x["frame"])) for x in self.to_terminal()]
        return [LANGUAGE.decode(frame.body).fields[11] for (frame,) in frames]


async def test_without_a_fault_answers_are_recorded_once_with_their_function() -> None:
    recorded = Recorded()
    await recorded.live(1, 2)
    assert ["to_host", "to_terminal"] * 2 == [line["direction"] for line in recorded.lines()]
    assert ["purchase"] * 4 == [line["function"] for line in recorded.lines()]
    assert {1} == {line["connection"] for line in recorded.lines()}


async def test_an_answer_with_another_stan_is_recorded_as_it_went_out() -> None:
    recorded = Recorded()
    recorded.host.parts.rulebook.add({"when": {"nth": 2}, "fault": "wrong_stan"})
    await recorded.live(1, 2, 3)
    assert ["000001", "000003", "000003"] == recorded.stans()
    assert UNIONPAY_CARD not in recorded.out.getvalue()


async def test_an_answer_that_is_sent_twice_is_recorded_twice() -> None:
    recorded = Recorded()
    recorded.host.parts.rulebook.add({"when": {"nth": 2}, "fault": "duplicate_reply"})
    await recorded.live(1, 2)
    assert ["000001", "000002", "000002"] == recorded.stans()


async def test_what_is_cut_off_is_recorded_by_its_length() -> None:
    recorded = Recorded()
    recorded.host.parts.rulebook.add({"when": {"nth": 2}, "fault": {"kind": "truncate", "bytes": 7}})
    await recorded.live(1, 2)
    first, second = recorded.to_terminal()
    assert (CUT_OFF, len(recorded.heard) - len(first["frame"]) // 2) == (second["unreadable"], second["bytes"])


async def test_what_was_garbled_is_recorded_by_its_length() -> None:
    recorded = Recorded()
    recorded.host.parts.rulebook.add({"fault": {"kind": "corrupt", "offset": 15}})
    await recorded.live(1)
    (line,) = recorded.to_terminal()
    assert len(recorded.heard) == line["bytes"] + 2
    assert line["unreadable"]


@pytest.mark.parametrize("fault", ["no_reply", "drop_after_commit"])
async def test_what_was_not_sent_is_not_recorded(fault: str) -> None:
    recorded = Recorded()
    rules = recorded.host.parts.rulebook
    rules.add({"when": {"nth": 1}, "fault": fault})
    rules.add({"when": {"nth": 2}, "fault": "drop_before_commit"})
    await recorded.live(1, 2, answered=False)
    assert [] == recorded.to_terminal()


async def test_a_recording_that_cannot_be_written_ends_and_terminals_are_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorded = Recorded()
    recorded.host.parts.rulebook.add({"fault": "duplicate_reply"})

    def full(text: str) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recorded.out, "write", full)
    await recorded.live(1, 2)
    assert [28] == [error.errno for error in recorded.told]
    assert 4 == len(Framer(LANGUAGE.dialect.framing).receive_data(recorded.heard))
