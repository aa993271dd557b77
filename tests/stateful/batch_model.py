"""A batch as anybody would keep it on paper, beside a host that keeps it in its journal.

The machine trades, voids, refunds, reverses, loses answers, settles right and wrong, uploads and restarts the
host; the model knows from a list of what was sold what each answer must be. See test_batch.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from structlog.testing import capture_logs
from tests.stateful.authorisation_rules import AuthorisationRules
from tests.stateful.paper import PLACES, PaperBatch, Sold
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import books, verify
from tests.unit.host.pipeline.terminals import (
    UNIONPAY_CARD,
    VISA_CARD,
    Exchange,
    HypercomTerminal,
    Iso87Terminal,
    UnionPayTerminal,
)

from pos_host.journal import Journal, RowType
from pos_host.storage.memory import MemoryJournal
from pos_host.testing.virtual_loop import VirtualLoop
from pos_specs.message import Message
from pos_specs.totals import Side, Totals

Terminal = UnionPayTerminal | HypercomTerminal | Iso87Terminal
T = TypeVar("T")


class BatchMachine(AuthorisationRules):
    """The rules every dialect has; each dialect adds its settlement."""

    kind: type[UnionPayTerminal] | type[HypercomTerminal] | type[Iso87Terminal]
    differs = "64"

    def __init__(self) -> None:
        super().__init__()
        self.loop = self.new_loop()
        self.quiet_logs = contextlib.ExitStack()
        self.quiet_logs.enter_context(capture_logs())  # what the host says of it all is not of interest here
        self.host = self.run(self.make_host())
        self.terminal: Any = self.kind(self.host)
        self.batches = [PaperBatch("000001")]
        self.amounts = 0
        self.reversals: dict[str, str | None] = {}
        self.closed: dict[str, dict[str, Any]] = {}

    # -- the host under test

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """On virtual time, where nothing waits for a disk."""
        return VirtualLoop()

    def open_journal(self) -> Journal | None:
        """A new journal, or the same one again; None for one in memory."""
        return None

    async def make_host(self) -> HostInProcess:
        return HostInProcess(self.open_journal())

    async def restarted(self) -> HostInProcess:
        return self.host.twin()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.restart()
        entries = self.run(self.host.journal.entries_after(0, 100_000))
        report = verify(self.rows_of, entries)
        self.run(self.host.journal.close())
        self.loop.close()
        self.quiet_logs.close()
        assert 0 == report["differences"], report["details"]

    def rows_of(self, table: type[RowType]) -> list[RowType]:
        """Every row of a table that the store holds."""
        return self.host.memory.all_rows(table)

    # -- paper

    @property
    def current(self) -> PaperBatch:
        return self.batches[-1]

    @property
    def uploading(self) -> PaperBatch | None:
        return next((batch for batch in self.batches if batch.state == "uploading"), None)

    def open_sold(self) -> list[Sold]:
        """Everything sold in batches that are not closed."""
        return [sold for batch in self.batches if batch.state != "settled" for sold in batch.sold]

    def home(self, sold: Sold) -> PaperBatch:
        return next(batch for batch in self.batches if sold in batch.sold)

    def new_amount(self) -> int:
        """No two amounts are the same, so that no two totals are."""
        self.amounts += 1
        return 1_000_00 + self.amounts

    def trading(self) -> bool:
        """Whether new transactions are taken now."""
        return True

    def batch_for_new(self) -> PaperBatch:
        """Where a new transaction goes; during a Hypercom upload that is the next batch."""
        return self.current

    def groups(self, batch: PaperBatch) -> Totals:
        """The totals of a batch, from its list."""
        raise NotImplementedError

    def note_closed(self, batch: PaperBatch, result: str) -> None:
        batch.state, batch.result = "settled", result
        if batch is self.current:
            self.batches.append(PaperBatch(f"{int(batch.number) + 1:06d}"))
            if self.terminal.dialect == "unionpay":
                self.terminal.batch = self.current.number
        book = self.host.book(self.terminal.ids[41])
        closed = book.batch_numbered(batch.number)
        assert closed is not None
        self.closed[batch.number] = self.row(closed.batch_id)
        assert ("settled", result) == (closed.state, closed.result)

    def row(self, batch_id: int) -> dict[str, Any]:
        row = self.run(self.host.journal.batch(batch_id))
        assert row is not None
        return row._asdict()

    # -- rules

    @rule(domestic=st.booleans(), lost=st.sampled_from([False, False, True]))
    def buy(self, domestic: bool, lost: bool) -> None:
        amount = self.new_amount()
        message = self.terminal.purchase_message(amount, UNIONPAY_CARD if domestic else VISA_CARD)
        answer = self.ask_and_lose(message) if lost and self.trading() else self.ask(message)
        if not self.trading():
            assert "58" == answer.fields[39]
            return
        assert "00" == answer.fields[39]
        self.batch_for_new().sold.append(Sold("sale", Exchange(message, answer), amount, domestic))

    @rule()
    def buy_nothing(self) -> None:
        answer = self.ask(self.terminal.purchase_message(0))

        assert ("13" if self.trading() else "58") == answer.fields[39]
        self.batch_for_new()

    @precondition(lambda self: any(sold.kind == "sale" for batch in self.batches for sold in batch.sold))
    @rule(place=PLACES)
    def void(self, place: int) -> None:
        sale = self.choose(place, [sold for batch in self.batches[-2:] for sold in batch.sold if sold.kind == "sale"])
        if sale is None:
            return
        own = sale.completion and self.terminal.dialect == "unionpay"
        say = self.terminal.completion_void if own else self.terminal.void
        done = self.run(say(sale.exchange, f4=f"{sale.amount_minor:012d}"))
        target = self.batch_for_new() if self.trading() else self.current
        expected = self.void_code(sale, target)
        assert expected == done.code
        if expected == "00":
            sale.voided = True
            if sale.authorisation is not None:
                sale.authorisation.state, sale.authorisation.changed_in = "open", target
            target.sold.append(Sold("void", done, sale.amount_minor, sale.domestic, sale))

    def void_code(self, sale: Sold, target: PaperBatch) -> str:
        if not self.trading():
            return "58"
        if self.home(sale) is not target:
            return "25"
        if sale.reversed or sale.voided:
            return "12"
        return self.differs if sale.refunded_minor else "00"

    @precondition(lambda self: any(sold.kind == "sale" for batch in self.batches for sold in batch.sold))
    @rule(place=PLACES, share=st.sampled_from([1, 2, 3]))
    def refund(self, place: int, share: int) -> None:
        """Of any sale ever, also of batches that only the store remembers."""
        sale = self.choose(place, [sold for batch in self.batches for sold in batch.sold if sold.kind == "sale"])
        assert sale is not None
        amount = sale.amount_minor // share
        pan = sale.exchange.request.fields[2]
        changes = {"f2": pan} | ({"f37": sale.exchange.rrn} if self.terminal.dialect == "iso87-ascii" else {})
        done = self.run(self.terminal.refund(sale.exchange, amount, **changes))
        expected = "58" if not self.trading() else self.refund_code(sale, amount)
        assert expected == done.code
        target = self.batch_for_new() if self.trading() else self.current
        if expected == "00":
            sale.refunded_minor += amount
            target.sold.append(Sold("refund", done, amount, sale.domestic, sale))

    def refund_code(self, sale: Sold, amount: int) -> str:
        if sale.reversed or sale.voided:
            return "12"
        return "00" if sale.refunded_minor + amount <= sale.amount_minor else self.differs

    @precondition(lambda self: self.open_sold())
    @rule(place=PLACES)
    def reverse(self, place: int) -> None:
        """Of what is not settled; what was reversed already is asked for again."""
        sold = self.choose(place, self.open_sold())
        assert sold is not None
        done = self.run(self.terminal.reverse(sold.exchange.request))
        expected, takes_back = self.reversal_of(sold)
        assert expected == done.code
        if takes_back:
            self.take_back(sold)

    def known_reversal(self, stan: str) -> str | None:
        """The answer to the same reversal of before; ISO 1987's have a STAN of their own each time."""
        return None if self.kind is Iso87Terminal else self.reversals.get(stan)

    def reversal_of(self, sold: Sold) -> tuple[str, bool]:
        """The code, and whether the money goes back. The same reversal again gets the same answer."""
        known = self.known_reversal(sold.stan)
        if known is not None:
            return known, False
        code, takes_back = "00", not sold.reversed
        if sold.told:
            code, takes_back = self.refused_with("25"), False
        elif sold.voided or self.is_built_on(sold) or (sold.refunded_minor and not sold.reversed):
            code, takes_back = self.refused_with("12"), False
        self.reversals[sold.stan] = code
        return code, takes_back

    def is_built_on(self, sold: Sold) -> bool:
        """The void of a completion, after which its authorisation ended in another way."""
        if sold.kind != "void" or sold.reversed or sold.original is None:
            return False
        authorisation = sold.original.authorisation
        return authorisation is not None and authorisation.state != "open"

    def take_back(self, sold: Sold) -> None:
        sold.reversed = True
        original = sold.original
        if sold.kind == "void" and original is not None:
            original.voided = False
            if original.authorisation is not None:
                original.authorisation.state = "completed"
                original.authorisation.completed_minor = sold.amount_minor
                original.authorisation.changed_in = self.home(sold)
            if original.kind == "refund" and original.original is not None:
                original.original.refunded_minor += original.amount_minor
        elif sold.kind == "refund" and original is not None:
            original.refunded_minor -= sold.amount_minor
        elif sold.authorisation is not None:
            sold.authorisation.state, sold.authorisation.changed_in = "open", self.home(sold)

    @rule(domestic=st.booleans())
    def sell_offline(self, domestic: bool) -> None:
        """Told afterwards."""
        amount = self.new_amount()
        done = self.run(self.terminal.offline_purchase(amount, UNIONPAY_CARD if domestic else VISA_CARD))
        assert ("00" if self.trading() else "58") == done.code
        if done.code == "00":
            self.batch_for_new().sold.append(Sold("sale", done, amount, domestic, told=True))

    @precondition(lambda self: self.kind is not Iso87Terminal and self.trading())
    @rule(place=PLACES, less=st.booleans())
    def adjust(self, place: int, less: bool) -> None:
        """A sale of the batch in which new ones are made."""
        sale = self.choose(place, [sold for sold in self.batch_for_new().sold if sold.kind == "sale"])
        if sale is None:
            return
        amount = self.new_amount() // (2 if less else 1)
        done = self.run(self.terminal.adjust(sale.exchange, amount))
        expected = "12" if sale.reversed or sale.voided else "00" if amount >= sale.refunded_minor else self.differs
        assert expected == done.code
        if expected == "00":
            sale.amount_minor, sale.adjust = amount, done
            assert done.answer == self.ask(done.request)

    @precondition(lambda self: self.kind is not UnionPayTerminal)
    @rule(place=PLACES)
    def void_a_refund(self, place: int) -> None:
        refund = self.choose(place, [sold for b in self.batches[-2:] for sold in b.sold if sold.kind == "refund"])
        if refund is None:
            return
        done = self.run(self.terminal.refund_void(refund.exchange))
        target = self.batch_for_new()
        expected = "25" if self.home(refund) is not target else "12" if refund.reversed or refund.voided else "00"
        assert expected == done.code
        if expected == "00":
            refund.voided = True
            if refund.original is not None:
                refund.original.refunded_minor -= refund.amount_minor
            target.sold.append(Sold("void", done, refund.amount_minor, refund.domestic, refund))

    @precondition(lambda self: self.trading())
    @rule()
    def reverse_what_never_came_and_then_does(self) -> None:
        late = self.terminal.purchase_message(self.new_amount())
        assert "00" == self.run(self.terminal.reverse(late)).code
        self.reversals[late.fields[11]] = "00"
        assert "12" == self.ask(late).fields[39]
        self.batch_for_new()

    @precondition(lambda self: self.open_sold())
    @rule(place=PLACES)
    def repeat(self, place: int) -> None:
        sold = self.choose(place, self.open_sold())
        assert sold is not None
        assert sold.exchange.answer == self.ask(sold.exchange.request)

    @precondition(lambda self: self.open_sold())
    @rule(place=PLACES)
    def use_a_stan_twice(self, place: int) -> None:
        sold = self.choose(place, self.open_sold())
        assert sold is not None
        other = Message(sold.exchange.request.mti, {**sold.exchange.request.fields, 4: f"{self.new_amount():012d}"})
        assert "94" == self.ask(other).fields[39]

    @precondition(lambda self: isinstance(self.host.journal, MemoryJournal))
    @rule()
    def buy_while_the_commit_fails(self) -> None:
        """Nothing of it remains, neither here nor on paper."""
        self.host.memory.fail_next = 1
        assert "96" == self.ask(self.terminal.purchase_message(self.new_amount())).fields[39]

    @rule()
    def restart(self) -> None:
        self.run(self.host.durable())
        before = books(self.host.registry)
        self.host = self.run(self.restarted())
        assert before == books(self.host.registry)
        self.terminal.host, self.terminal.line = self.host, self.host.connect(self.terminal.dialect)

    @rule(minutes=st.integers(1, 600))
    def wait(self, minutes: int) -> None:
        self.host.clock.move_to(self.host.clock.now_ms() + 60_000 * minutes)

    # -- invariants

    @invariant()
    def the_hosts_totals_are_those_on_paper(self) -> None:
        found = self.host.registry.of_terminal(self.terminal.ids[41])
        if not found:
            return
        for batch in self.batches:
            kept = found[0].batch_numbered(batch.number)
            if kept is not None:
                assert self.groups(batch) == {name: side for name, side in kept.groups.items() if side.count}
                assert batch.state == kept.state

    @invariant()
    def a_closed_batch_never_changes(self) -> None:
        for row in self.closed.values():
            assert row == self.row(row["batch_id"])

    # -- talking

    def choose(self, place: int, among: list[Sold]) -> Sold | None:
        return among[-1 - place % len(among)] if among else None

    def ask(self, message: Message) -> Message:
        return self.run(self.terminal.line.ask(message.mti, message.fields))

    def ask_and_lose(self, message: Message) -> Message:
        """The answer is lost with the line; the terminal learns it by asking again on another."""

        async def lose() -> None:
            line = self.terminal.line
            line.feed(line.bytes_of(message))
            line.hang_up()
            await self.host.quiet()
            self.terminal.line = self.host.connect(self.terminal.dialect)

        self.run(lose())
        return self.ask(message)


class UnionPayMachine(BatchMachine):
    """0500 with both halves of DE48; 0320/201 and refunds; 202."""

    kind = UnionPayTerminal

    @initialize()
    def sign_in(self) -> None:
        self.run(self.terminal.sign_in())

    def trading(self) -> bool:
        return self.uploading is None

    def groups(self, batch: PaperBatch) -> Totals:
        standing = [sold for sold in batch.sold if not sold.reversed]
        return {
            name: side
            for half, domestic in (("domestic", True), ("foreign", False))
            for name, side in (
                (f"{half}_debit", total(s for s in standing if s.domestic is domestic and s.kind == "sale")),
                (f"{half}_credit", total(s for s in standing if s.domestic is domestic and s.kind != "sale")),
            )
            if side.count
        }

    @rule()
    def settle_right(self) -> None:
        batch = self.current
        settled = self.run(self.terminal.settle(self.groups(batch)))
        assert ("11", None) == (settled.answer.fields[48][30::31], settled.code)
        self.note_closed(batch, "balanced")

    @rule(foreign=st.booleans())
    def settle_wrong(self, foreign: bool) -> None:
        batch = self.current
        totals = self.groups(batch)
        name = "foreign_debit" if foreign else "domestic_debit"
        wrong = plus(totals.get(name, Side(0, 0)), Side(1, self.new_amount()))
        settled = self.run(self.terminal.settle({**totals, name: wrong}))
        codes = settled.answer.fields[48][30::31]
        assert "2" in codes
        assert set(codes) <= {"1", "2"}
        batch.disputed = tuple(half for half, code in zip(("domestic", "foreign"), codes, strict=True) if code == "2")
        batch.state = "uploading"

    @precondition(lambda self: self.uploading is not None)
    @rule(leave_out=st.integers(0, 3), bend=st.booleans())
    def upload(self, leave_out: int, bend: bool) -> None:
        """Some or all of the disputed halves, perhaps one with another amount."""
        batch = self.current
        wanted = [sold for sold in batch.sold if not sold.reversed and half(sold) in batch.disputed][leave_out:]
        for start in range(0, len(wanted), 8):
            part = wanted[start : start + 8]
            plain = [s for s in part if s.kind != "refund" and s.adjust is None]
            records = [(s.stan, s.exchange.request.fields[2], s.amount_minor) for s in plain]
            if bend and records:
                stan, pan, amount = records[0]
                records[0] = (stan, pan, amount + 1)
            if records:
                assert "00" == self.run(self.terminal.upload(*records)).code
            for sold in (s for s in part if s.adjust is not None):
                assert sold.adjust is not None
                pan = sold.exchange.request.fields[2]
                done = self.run(self.terminal.upload_advice("32", sold.adjust.stan, pan, sold.amount_minor))
                assert "00" == done.code
                records.append((sold.stan, pan, sold.amount_minor))
            for sold in (s for s in part if s.kind == "refund"):
                fields = sold.exchange.request.fields
                done = self.run(self.terminal.upload_advice("25", sold.stan, fields[2], sold.amount_minor))
                assert "00" == done.code
                records.append((sold.stan, fields[2], sold.amount_minor))
            batch.uploads |= {stan: amount for stan, _, amount in records}

    @precondition(lambda self: self.uploading is not None)
    @rule()
    def end_upload(self) -> None:
        batch = self.current
        assert "00" == self.run(self.terminal.end_upload(len(batch.uploads))).code
        self.note_closed(batch, "balanced_after_upload" if self.agrees(batch) else "out_of_balance")

    @precondition(lambda self: self.closed and self.batches[-2].result != "settled_by_host")
    @rule()
    def upload_late(self) -> None:
        """A record nobody knows, for the batch closed last: its report grows, and nothing else of it changes. (Of what
        the host settled more may come late: handlers/test_late_settlement_walks.py.)"""
        number = list(self.closed)[-1]
        before = self.closed[number]
        stan = self.terminal.next_stan()
        record = (stan, UNIONPAY_CARD, self.new_amount())
        assert "00" == self.run(self.terminal.upload(record, f60=f"00{number}201")).code
        after = self.row(before["batch_id"])
        found = json.loads(before["discrepancies"] or "[]")
        reported = json.loads(after["discrepancies"])
        assert found == reported[: len(found)]  # what was uploaded before a balanced 0500 may come to it too
        assert (stan, "unknown_to_host") in [(item["stan"], item["kind"]) for item in reported[len(found) :]]
        assert {**before, "discrepancies": after["discrepancies"]} == after
        self.closed[number] = after

    def agrees(self, batch: PaperBatch) -> bool:
        standing = {sold.stan: sold.amount_minor for sold in batch.sold if not sold.reversed}
        needed = {sold.stan for sold in batch.sold if not sold.reversed and half(sold) in batch.disputed}
        known = all(standing.get(stan) == amount for stan, amount in batch.uploads.items())
        return known and needed <= batch.uploads.keys()


class HypercomMachine(BatchMachine):
    """0500/920000, 0320, 0500/960000; trade goes on in the next batch."""

    kind = HypercomTerminal
    differs = "13"

    def batch_for_new(self) -> PaperBatch:
        if self.current.state == "uploading":
            self.batches.append(PaperBatch(f"{int(self.current.number) + 1:06d}"))
        return self.current

    def groups(self, batch: PaperBatch) -> Totals:
        standing = [sold for sold in batch.sold if not sold.reversed and not sold.voided]
        totals = {
            "sales": total(s for s in standing if s.kind == "sale"),
            "refunds": total(s for s in standing if s.kind == "refund"),
        }
        return {name: side for name, side in totals.items() if side.count}

    def settling(self) -> PaperBatch:
        """The batch the terminal settles: the one it uploads, else the current one."""
        batch = self.uploading or self.current
        self.terminal.batch = batch.number
        return batch

    @rule(groups=st.sampled_from([2, 4, 6]))
    def settle_right(self, groups: int) -> None:
        batch = self.settling()
        settled = self.run(self.terminal.settle(self.groups(batch), groups=groups))
        assert "00" == settled.code
        self.note_closed(batch, "balanced")

    @rule()
    def settle_wrong(self) -> None:
        batch = self.settling()
        totals = self.groups(batch)
        wrong = {**totals, "sales": plus(totals.get("sales", Side(0, 0)), Side(1, self.new_amount()))}
        assert "95" == self.run(self.terminal.settle(wrong)).code
        batch.state = "uploading"

    @precondition(lambda self: self.uploading is not None)
    @rule(leave_out=st.integers(0, 3), bend=st.booleans())
    def upload(self, leave_out: int, bend: bool) -> None:
        batch = self.settling()
        wanted = [sold for sold in batch.sold if not sold.reversed and not sold.voided and sold.kind != "void"]
        for place, sold in enumerate(wanted[leave_out:]):
            amount = sold.amount_minor + (1 if bend and place == 0 else 0)
            assert "00" == self.run(self.terminal.upload(sold.exchange, f4=f"{amount:012d}")).code
            batch.uploads[sold.stan] = amount

    @precondition(lambda self: self.uploading is not None)
    @rule(right=st.booleans())
    def end_upload(self, right: bool) -> None:
        batch = self.settling()
        totals = self.groups(batch)
        sent = totals if right else {**totals, "refunds": plus(totals.get("refunds", Side(0, 0)), Side(1, 7))}
        balanced = right and self.agrees(batch)
        done = self.run(self.terminal.settle(sent, trailer=True))
        assert ("00" if balanced else "77") == done.code
        self.note_closed(batch, "balanced_after_upload" if balanced else "out_of_balance")

    def agrees(self, batch: PaperBatch) -> bool:
        standing = {
            sold.stan: sold.amount_minor
            for sold in batch.sold
            if not sold.reversed and not sold.voided and sold.kind != "void"
        }
        return standing == batch.uploads


class Iso87Machine(BatchMachine):
    """0500 with DE74 to 97; nothing is uploaded."""

    kind = Iso87Terminal

    def groups(self, batch: PaperBatch) -> Totals:
        totals = {}
        for name, kind in (("debits", "sale"), ("credits", "refund")):
            mine = [sold for sold in batch.sold if sold.kind == kind]
            totals[name] = total(mine)
            totals[f"{name}_reversal"] = total(s for s in mine if s.reversed or s.voided)
        return {name: side for name, side in totals.items() if side.count}

    @rule(net=st.booleans())
    def settle_right(self, net: bool) -> None:
        """With reversals apart, or as a terminal that does not know of them."""
        batch = self.current
        totals = self.groups(batch)
        if net:
            totals = {
                name: minus(totals.get(name, Side(0, 0)), totals.get(f"{name}_reversal", Side(0, 0)))
                for name in ("debits", "credits")
            }
        settled = self.run(self.terminal.settle(totals))
        assert ("00", "1") == (settled.code, settled.answer.fields[66])
        self.note_closed(batch, "balanced")

    @rule()
    def settle_wrong(self) -> None:
        batch = self.current
        totals = self.groups(batch)
        wrong = {**totals, "debits": plus(totals.get("debits", Side(0, 0)), Side(1, self.new_amount()))}
        settled = self.run(self.terminal.settle(wrong))
        assert ("00", "2") == (settled.code, settled.answer.fields[66])
        self.note_closed(batch, "out_of_balance")


def half(sold: Sold) -> str:
    return "domestic" if sold.domestic else "foreign"


def total(sold: Any) -> Side:
    amounts = [one.amount_minor for one in sold]
    return Side(len(amounts), sum(amounts))


def plus(left: Side, right: Side) -> Side:
    return Side(left.count + right.count, left.amount_minor + right.amount_minor)


def minus(left: Side, right: Side) -> Side:
    return Side(left.count - right.count, left.amount_minor - right.amount_minor)
