"""Steps of a scenario that go over the host's admin API: rules, clock, settlement, checks of its books."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from urllib.parse import quote

from pos_specs.totals import Side
from pos_terminal.host_books import ApiFailed
from pos_terminal.scenarios.admin_api import AdminApi, of_terminal
from pos_terminal.scenarios.differences import batch_differences, event_differences
from pos_terminal.scenarios.expectations import Check
from pos_terminal.scenarios.live_terminal import LiveTerminal
from pos_terminal.scenarios.models import Api, Step
from pos_terminal.scenarios.targets import RunClock

WHOSE = ("terminal_id", "merchant_id")
"""A rule that names neither is made one of the scenario's merchants alone, so that it meets nobody else."""

PATIENCE_S = 5.0
"""How long a check may take to come true: a host looks twice a second at what is unsettled, and writes its events
after the answer has left."""

LOOK_AGAIN_S = 0.05

Done = tuple[Any, list[str]]
"""What the host answered, and what is otherwise than expected."""


class HostSteps:
    """The host's side of one scenario; `merchants` are those of its terminals, `patience_s` what a check may take."""

    def __init__(self, api: AdminApi, clock: RunClock, merchants: list[str], patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._api = api
        self._clock = clock
        self._merchants = list(dict.fromkeys(merchants))
        self._rules: list[str] = []
        self._since = 0

    async def begin(self) -> None:
        """Note which event came last, and what time it is there; raises ApiFailed."""
        self._since = await self._api.last_sequence()
        self._clock.follow((await self._api.done("GET", "/clock"))["now"])

    async def end(self) -> None:
        """Take back the rules that were made; a host that is gone has none."""
        try:
            await self._clear()
        except ApiFailed:
            self._rules.clear()

    async def do(self, verb: str, step: Step, terminal: LiveTerminal) -> Done:
        """Do one step; raises ApiFailed for what the host refuses."""
        if step.check is not None:
            return None, await self._come_true(step.check, terminal)
        if step.api is not None:
            return await self._ask(step.api)
        if step.rules is not None:
            return await self._add(step.rules), []
        if step.advance is not None:
            now = await self._api.done("POST", "/clock", {"advance": step.advance})
            self._clock.follow(now["now"])
            return now, []
        if verb == "settle_by_host":
            return await self._api.done("POST", _path(terminal, "/settle")), []
        if verb == "reset":
            self._rules.clear()
            self._since = 0
            return await self._api.reset(), []
        await self._clear()
        return None, []

    async def _add(self, rules: list[dict[str, Any]]) -> Any:
        made = []
        for rule in rules:
            when = rule.get("when") or {}
            whose = {} if any(name in when for name in WHOSE) else {"merchant_id": self._merchants}
            made.append(await self._api.done("POST", "/rules", {**rule, "when": {**when, **whose}}))
            self._rules.append(made[-1]["id"])
        return made

    async def _clear(self) -> None:
        while self._rules:
            await self._api.ask("DELETE", f"/rules/{quote(self._rules.pop(), safe='')}")

    async def _ask(self, given: Api) -> Done:
        answer = await self._api.ask(given.method, given.path, given.body)
        if answer.status != given.status:
            return answer.body, [f"{given.method} {given.path}: {given.status} was expected, {answer.why} came"]
        wrong = []
        for path, wanted in given.expect.items():
            came = value_at(answer.body, path)
            if came != wanted:
                wrong.append(f"{path} of the answer was to be {json.dumps(wanted)}, it is {json.dumps(came)}")
        return answer.body, wrong

    # ------------------------------------------------------------ checks

    async def _come_true(self, check: Check, terminal: LiveTerminal) -> list[str]:
        """What is otherwise, once it is true or the patience is at its end."""
        wrong = await self._check(check, terminal)
        end = time.monotonic() + (check.within_s or self._patience_s)
        while wrong and time.monotonic() < end:
            await asyncio.sleep(LOOK_AGAIN_S)
            wrong = await self._check(check, terminal)
        return wrong

    async def _check(self, check: Check, terminal: LiveTerminal) -> list[str]:
        memory = terminal.memory
        wrong: list[str] = []
        if any(item is not None for item in (check.status, check.batch, check.books_agree, check.unsettled)):
            found = await self._api.terminal(memory.merchant_id, memory.terminal_id)
            if found is None:
                return ["the host does not know this terminal"]
            wrong += await self._terminal(check, found, terminal)
        if check.closed_batch is not None:
            batches = await self._api.batches(memory.merchant_id, memory.terminal_id)
            closed = next((batch for batch in batches if batch["state"] == "settled"), None)
            kinds = None if closed is None else await self._discrepancies(closed)
            wrong += batch_differences("the batch closed last", check.closed_batch, closed, kinds)
        if check.events is not None or check.no_events is not None:
            wrong += await self._events(check, f"{memory.merchant_id}/{memory.terminal_id}")
        for rule, hits in (check.rule_hits or {}).items():
            acted = len((await self._api.done("GET", f"/rules/{quote(rule, safe='')}/hits"))["items"])
            if acted != hits:
                wrong.append(f"rule {rule} was to act {hits} times, it acted {acted} times")
        return wrong

    async def _terminal(self, check: Check, found: dict[str, Any], terminal: LiveTerminal) -> list[str]:
        wrong: list[str] = []
        if check.status is not None and found["status"] != check.status:
            wrong.append(f"the terminal was to be {check.status} at the host, it is {found['status']}")
        if check.unsettled is not None:
            severity = "no" if found["unsettled"] is None else found["unsettled"]["severity"]
            if severity != check.unsettled:
                wrong.append(f"unsettled was to be {check.unsettled}, it is {severity}")
        if check.batch is not None:
            kinds = await self._discrepancies(found["batch"]) if check.batch.discrepancies is not None else None
            wrong += batch_differences("the current batch", check.batch, found["batch"], kinds)
        if check.books_agree is not None:
            wrong += _agreement(check.books_agree, found["batch"], terminal)
        return wrong

    async def _discrepancies(self, batch: dict[str, Any]) -> list[str]:
        found = await self._api.done("GET", f"/batches/{batch['id']}/discrepancies")
        return [item["kind"] for item in found["items"]]

    async def _events(self, check: Check, subject: str) -> list[str]:
        events = await self._api.events_since(self._since)
        kinds = [event["type"] for event in events if event.get("subject") == subject]
        wrong = list(event_differences(check.events or [], kinds))
        return wrong + [f"event {kind} came, and was not to" for kind in check.no_events or [] if kind in kinds]


def value_at(document: Any, path: str) -> Any:
    """What stands at `items.0.state` in JSON; None where there is nothing."""
    for key in path.split("."):
        if isinstance(document, dict):
            document = document.get(key)
        elif isinstance(document, list) and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    return document


def _agreement(wanted: bool, batch: dict[str, Any], terminal: LiveTerminal) -> list[str]:
    books = terminal.terminal.application.books(terminal.memory.log)
    wrong = []
    for name, own in (("debit", books.debit), ("credit", books.credit)):
        host = Side(batch[name]["count"], batch[name]["amount_minor"])
        if host != own:
            wrong.append(
                f"{name}: the terminal has {own.count} for {own.amount_minor} minor units, "
                f"the host {host.count} for {host.amount_minor}"
            )
    if wanted:
        return wrong
    return [] if wrong else ["the books of terminal and host were to differ, they agree"]


def _path(terminal: LiveTerminal, below: str) -> str:
    return of_terminal(terminal.memory.merchant_id, terminal.memory.terminal_id, below)
