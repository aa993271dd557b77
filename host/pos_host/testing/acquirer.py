"""The acquirer that a test has: a host in this process, asked and told by plain calls."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from pos_host.exchanges import Exchange
from pos_host.expectations.wanted import differences, wanted_of
from pos_host.expectations.wording import brief
from pos_host.settlement.business_day import local_datetime
from pos_host.settlement.durations import duration_text
from pos_host.testing.acquirer_options import AcquirerOptions
from pos_host.testing.expecting import ExpectationFailed, Expected, Expecting
from pos_host.testing.in_process_host import InProcessHost
from pos_host.testing.loop_thread import LoopThread
from pos_host.verifying import Verifier
from pos_specs.masking import mask_fields
from pos_specs.message import Message

T = TypeVar("T")

ALL = 1_000_000
"""More than a test leaves behind of anything."""


class Received(NamedTuple):
    """A message that the host received, and its answer as it was made, before a fault; in clear, its repr masked."""

    exchange: Exchange
    response: Message | None

    @property
    def function(self) -> str:
        return self.exchange.function

    @property
    def terminal_id(self) -> str:
        return self.exchange.terminal_id

    @property
    def outcome(self) -> str:
        """What was decided, by its name: approved, insufficient_funds …"""
        return self.exchange.outcome

    @property
    def response_code(self) -> str:
        return self.exchange.response_code

    @property
    def mti(self) -> str:
        """The message type, "" of what could not be read."""
        return "" if self.exchange.request is None else self.exchange.request.mti

    @property
    def fields(self) -> dict[int, str]:
        """The request's elements by number."""
        return {} if self.exchange.request is None else self.exchange.request.fields

    @property
    def rules(self) -> tuple[str, ...]:
        """The ids of the rules that acted."""
        return self.exchange.rules

    @property
    def fault(self) -> str:
        """The kind of the fault that spoilt the answer, "" without one."""
        return self.exchange.fault

    def __repr__(self) -> str:
        request = self.exchange.request
        shown = {} if request is None else mask_fields(self.exchange.language, request)
        return f"<{brief(self.exchange)}: {shown}>"


class AcquirerClock:
    """The acquirer's manual clock; its terminals go by it too."""

    def __init__(self, acquirer: Acquirer) -> None:
        self._acquirer = acquirer

    @property
    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.fromtimestamp(self._acquirer.inside.clock.now_ms() / 1000, UTC)

    @property
    def local(self) -> datetime:
        """The time at the merchants', without a zone, as terminals show it."""
        inside = self._acquirer.inside
        return local_datetime(inside.parts.policy, inside.clock.now_ms()).replace(tzinfo=None)

    def advance(self, by: str | timedelta) -> datetime:
        """Move on by an ISO 8601 duration ("PT10H", "P1D"), and give the new time once all that falls due until then
        has happened. Raises DurationError."""
        text = by if isinstance(by, str) else duration_text(round(by.total_seconds() * 1000))
        self._acquirer.run(self._acquirer.inside.office.advance_clock(text))
        return self.now


class AcquirerRules:
    """The scenario rules; documents as rule files have them. Raises RulesError, and UnknownRule for an id."""

    def __init__(self, acquirer: Acquirer) -> None:
        self._acquirer = acquirer

    def add(self, document: Mapping[str, Any] | None = None, **keys: Any) -> str:
        """Put a rule behind the others, given as a document or by its keys (`when=…, reply=…`); gives its id."""
        rule = {**(document or {}), **keys}
        return str(self._do(lambda book: book.add(rule)))

    def remove(self, id_: str) -> None:
        self._do(lambda book: book.remove(id_))

    def enable(self, id_: str) -> None:
        self._do(lambda book: book.enable(id_))

    def disable(self, id_: str) -> None:
        self._do(lambda book: book.disable(id_))

    def clear(self) -> None:
        """Forget all rules."""
        self._do(lambda book: book.clear())

    def hits(self, id_: str) -> list[Any]:
        """The requests on which a rule acted, oldest first."""
        return list(self._do(lambda book: book.hits(id_)))

    def _do(self, do: Callable[[Any], Any]) -> Any:
        return self._acquirer.call(lambda: do(self._acquirer.inside.parts.rulebook))


class Acquirer:
    """A host that a test trades with. Everything may be called from any thread but the host's own.

    `addresses` are where it listens, by dialect; `address`, `host` and `port` are the first of them. `inside` is the
    host itself, for what is not offered here; use it through `call` and `run` only.
    """

    def __init__(self, loop: LoopThread, options: AcquirerOptions) -> None:
        self._loop = loop
        self.options = options
        self.rules = AcquirerRules(self)
        self.clock = AcquirerClock(self)
        self._expecting = Expecting(self.call)
        self.inside: InProcessHost = loop.call(lambda: InProcessHost(options))
        self.run(self.inside.open())
        self.addresses = dict(self.inside.addresses)
        self.dialect = next(iter(self.addresses))
        self.host, self.port = self.addresses[self.dialect]
        self.address = f"{self.host}:{self.port}"

    @property
    def http(self) -> str | None:
        """The URL of the admin API, None unless the marker says `http=True`."""
        return self.inside.url

    @property
    def token(self) -> str:
        """The bearer token of the admin API."""
        return self.inside.token

    # -- what came

    def received(self, **conditions: Any) -> list[Received]:
        """The messages that came since the test began (or `forget_received`) and are as the conditions say, oldest
        first: function, terminal_id, amount, amount_minor, currency, stan, card, response_code, outcome, rule, fault,
        fields={"25": "00"} and more. Raises WantedError."""
        wanted = wanted_of(conditions)
        came = self.call(lambda: self.inside.parts.pipeline.exchanges.since(0))
        return [Received(exchange, exchange.answer) for exchange in came if not differences(exchange, wanted)]

    def transcript(self) -> str:
        """What came since the test began (or `forget_received`), a line for each message; pytest shows it beside a test
        that failed."""
        came = self.call(lambda: self.inside.parts.pipeline.exchanges.since(0))
        return "\n".join(map(brief, came)) or "nothing"

    def forget_received(self) -> None:
        """Have `received` begin anew."""
        self.call(lambda: self.inside.parts.pipeline.exchanges.forget())

    def expect(self, **conditions: Any) -> Expected:
        """Expect messages of these conditions (see `received`) in this test: `.once()`, `.times(2)`, `.never()`. It is
        checked when the test ends, or by `verify_expectations`. Raises WantedError."""
        return self._expecting.expect(self.inside.parts.expectations, conditions)

    def expect_in_order(self, *conditions: Mapping[str, Any] | str) -> None:
        """Expect these one after the other, whatever comes between: functions by name, or conditions as a dict."""
        self._expecting.expect_in_order(conditions)

    def verify_expectations(self) -> None:
        """Check every expectation now; raises ExpectationFailed telling all that are not met."""
        __tracebackhide__ = True
        why = self.unmet_expectations()
        if why:
            raise ExpectationFailed(why)

    def unmet_expectations(self) -> str:
        """The expectations that are not met, in words, "" where all are; none is told twice."""
        return self._expecting.unmet(self.inside.parts.pipeline.exchanges)

    # -- how things stand

    def terminals(self) -> list[dict[str, Any]]:
        """Every terminal with its batch and flag, as the API shows it."""
        return self._items(lambda: self.inside.office.terminals(ALL, 0))

    def terminal(self, terminal_id: str, merchant_id: str | None = None) -> dict[str, Any]:
        """One terminal; raises NotThere or Ambiguous."""
        return self.call(lambda: self.inside.office.terminal(terminal_id, merchant_id))

    def batches(self, terminal_id: str, merchant_id: str | None = None) -> list[dict[str, Any]]:
        """A terminal's batches, the newest first; raises NotThere or Ambiguous."""
        page = self.run(self.inside.office.batches(terminal_id, merchant_id, ALL, 0))
        return list(page["items"])

    def unsettled(self) -> list[dict[str, Any]]:
        """The terminals that should have settled and did not, the worst first."""
        self.run(self.inside.parts.watch.settle())
        return self._items(lambda: self.inside.office.unsettled(ALL, 0))

    def events(self, type_: str | None = None) -> list[dict[str, Any]]:
        """Every event since the test began, in order, as CloudEvents; of one type where asked."""
        self.run(self.inside.parts.watch.settle())
        events: list[dict[str, Any]] = self.run(_all_events(self.inside))
        return [event for event in events if type_ in (None, event["type"])]

    def verify(self) -> list[dict[str, Any]]:
        """Work out every total, state and payout again from the journal; gives what differs."""
        return self.call(self._differences)

    def reset(self) -> None:
        """A clean host at the same addresses, as at its start: books, rules, clock and expectations. Connections are
        closed."""
        self.run(self.inside.start_over())
        self._expecting = Expecting(self.call)

    def close(self) -> None:
        """End the host."""
        self.run(self.inside.close())

    # -- on the host's loop

    def call(self, do: Callable[[], T]) -> T:
        """What a function gives that is called on the host's loop."""
        return self._loop.call(do)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What a coroutine gives that runs on the host's loop."""
        return self._loop.run(work)

    def __repr__(self) -> str:
        return f"<acquirer at {self.address}, {self.dialect}>"

    def _items(self, page: Callable[[], dict[str, Any]]) -> list[dict[str, Any]]:
        return list(self.call(page)["items"])

    def _differences(self) -> list[dict[str, Any]]:
        journal = self.inside.journal
        verifier = Verifier(journal.all_rows)
        for stored in journal.entries:
            verifier.take(stored)
        return list(verifier.finish()["details"])


async def _all_events(inside: InProcessHost) -> list[dict[str, Any]]:
    return await inside.events_after(0, ALL)
