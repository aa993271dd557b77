"""Settlement by application: the slips of a batch that its terminal cannot settle, reviewed, and settled by the host.

hand in → compared with the books → approve: the host settles the batch, in the same commit
                                  → reject: what is missing or does not match is named → hand in again
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pos_host.clock import iso_utc
from pos_host.journal import Journal, Question
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.group_totals import sides
from pos_host.ledger.host_settlement import unsettled_batch
from pos_host.ledger.merchant_rows import DocumentRow, RecordRow
from pos_host.ledger.records import body_of, record
from pos_host.ledger.registry import Registry
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Desk, Refused, Subject, Told, Written
from pos_host.merchants.forgotten.arrears import refuse_in_arrears
from pos_host.merchants.forgotten.vouchers import Comparison, Voucher, compare, read_vouchers
from pos_host.merchants.four_eyes import check_other_person
from pos_host.merchants.free_text import plain_text
from pos_host.merchants.lives import Life
from pos_host.settlement.settler import NothingToSettle, Settler, UploadRunning

APPLICATION = "settlement_application"
"""Kind of its records; ids are counted."""

LIFE = Life(
    APPLICATION,
    "submitted",
    {
        "submitted": {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn"},
        "rejected": {"resubmit": "submitted", "withdraw": "withdrawn"},
        "approved": {},
        "withdrawn": {},
    },
)

PAPERS = ("authorisation", "merchant_identity", "agent_identity")
"""What an agent hands in: the merchant's authorisation and both identities, each as a document of the merchant."""

_EVENTS = {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn", "resubmit": "submitted_again"}


class HandedIn(NamedTuple):
    """What is handed in: the vouchers as they came (see `vouchers.read_vouchers`), the applicant's name, and where an
    agent applies for the merchant the papers, each as the id of a document."""

    vouchers: Sequence[dict[str, Any]]
    applicant: str = ""
    agent: dict[str, str] | None = None


class Applications:
    """Takes applications in and has them reviewed. Everything raises what `Desk.act` raises."""

    def __init__(self, desk: Desk, journal: Journal, settler: Settler) -> None:
        self._desk = desk
        self._registry: Registry = desk.registry
        self._journal = journal
        self._settler = settler

    def all(self, merchant_id: str | None = None, state: str | None = None) -> list[dict[str, Any]]:
        """Applications in the order they came, of one merchant or in one state where asked."""
        rows = sorted(self._registry.records.of_kind(APPLICATION, merchant_id), key=lambda row: int(row.record_id))
        return [application_view(row) for row in rows if state in (None, row.state)]

    def one(self, application_id: str, book: Book | None = None) -> dict[str, Any]:
        """One application, of that terminal where named; raises Refused (404)."""
        return application_view(self._row(application_id, book))

    async def submit(self, actor: Actor, book: Book, handed_in: HandedIn) -> dict[str, Any]:
        """Hand in an application for the terminal's batch with money; gives it with what does not fit yet."""
        no_papers = await self._missing_papers(book.merchant_id, handed_in.agent)

        def decide(now_ms: int) -> Written:
            refuse_in_arrears(self._registry, book.merchant_id)
            _refuse_without(no_papers)
            batch = _unsettled(book)
            self._refuse_second(batch)
            body = {
                "terminal_no": book.terminal_no,
                "terminal_id": book.terminal_id,
                "batch_id": batch.batch_id,
                "batch_number": batch.number,
                "handed_in_times": 1,
                **_content(actor, handed_in, book, batch, now_ms),
            }
            application_id = self._registry.records.next_id(APPLICATION)
            row = record(APPLICATION, application_id, book.merchant_id, LIFE.initial, now_ms, body)
            return self._written("submitted", None, row)

        return await self._act(actor, "application.submit", self._subject(book), decide)

    async def resubmit(self, actor: Actor, book: Book, application_id: str, handed_in: HandedIn) -> dict[str, Any]:
        """Hand in again what was rejected, with all its vouchers."""
        row = self._row(application_id, book)
        no_papers = await self._missing_papers(row.merchant_id, handed_in.agent)

        def change(row: RecordRow, body: dict[str, Any], now_ms: int) -> dict[str, Any]:
            refuse_in_arrears(self._registry, row.merchant_id)
            _refuse_without(no_papers)
            batch = self._batch_of(body)
            times = body["handed_in_times"] + 1
            return {**body, "handed_in_times": times, **_content(actor, handed_in, book, batch, now_ms)}

        return await self._step(actor, "resubmit", row, change)

    async def withdraw(self, actor: Actor, book: Book, application_id: str, why: str = "") -> dict[str, Any]:
        """Take it back."""
        row, why = self._row(application_id, book), plain_text("why", why, needed=False)
        return await self._step(actor, "withdraw", row, lambda row, body, now_ms: body, why)

    async def reject(self, actor: Actor, book: Book, application_id: str, why: str) -> dict[str, Any]:
        """Send it back: `why`, and which vouchers are missing or do not match as the books stand now."""
        why = plain_text("why", why)

        def change(row: RecordRow, body: dict[str, Any], now_ms: int) -> dict[str, Any]:
            _refuse_own(actor, body)
            found = self._comparison(body)
            review = {"by": actor.name, "at": iso_utc(now_ms), "reason": why}
            return {**body, "review": review, "checked": body["checked"] if found is None else _checked(found)}

        return await self._step(actor, "reject", self._row(application_id, book), change, why)

    async def approve(self, actor: Actor, book: Book, application_id: str, why: str = "") -> dict[str, Any]:
        """Settle the batch from the host's books, once, and confirm it. Every voucher must fit; not one's own."""
        why = plain_text("why", why, needed=False)

        def decide(now_ms: int) -> Written:
            row = self._row(application_id, book)
            state, body = LIFE.after(row.state, "approve"), body_of(row)
            _refuse_own(actor, body)
            refuse_in_arrears(self._registry, row.merchant_id)
            batch = self._batch_of(body)
            _refuse_incomplete(compare(_vouchers(body), batch, book.policy))
            entries, rows = self._settlement(book, batch, now_ms)
            review = {"by": actor.name, "at": iso_utc(now_ms), "reason": why}
            approved = {**body, "review": review, "confirmation": _confirmation(application_id, batch, now_ms)}
            after = record(APPLICATION, application_id, row.merchant_id, state, now_ms, approved)
            made = self._written("approved", row, after)
            return made._replace(rows=(*rows, after), entries=entries)

        return await self._act(actor, "application.approve", self._subject(book), decide, why)

    # -- within

    async def _step(self, actor: Actor, action: str, row: RecordRow, change: Any, why: str = "") -> dict[str, Any]:
        """One way of the life without money; `change` gives the body after it."""
        book = self._book_of(body_of(row))

        def decide(now_ms: int) -> Written:
            now = self._row(row.record_id)
            state = LIFE.after(now.state, action)
            body = change(now, body_of(now), now_ms)
            after = record(APPLICATION, now.record_id, now.merchant_id, state, now_ms, body)
            return self._written(_EVENTS[action], now, after)

        return await self._act(actor, f"application.{action}", self._subject(book), decide, why)

    async def _act(self, actor: Actor, action: str, subject: Subject, decide: Any, why: str = "") -> dict[str, Any]:
        answer: dict[str, Any] = await self._desk.act(actor, action, subject, decide, why)
        return answer

    def _written(self, event: str, before: RecordRow | None, after: RecordRow) -> Written:
        view = application_view(after)
        summary = {name: view[name] for name in ("id", "state", "batch_id", "batch_number", "checked", "confirmation")}
        return Written(
            (after,),
            (Told(f"{APPLICATION}.{event}", view["terminal_no"], summary),),
            None if before is None else application_view(before),
            view,
            view,
        )

    def _settlement(self, book: Book, batch: Batch, now_ms: int) -> Any:
        try:
            settled, made = self._settler.settlement_of(book, "application", now_ms)
        except UploadRunning as running:
            raise Refused("upload_running", str(running)) from None
        except NothingToSettle as nothing:
            raise Refused("nothing_to_settle", str(nothing)) from None
        if settled is not batch:
            raise Refused("batch_settled", f"batch {batch.number} of terminal {book.terminal_id} is not the oldest")
        return made

    async def _missing_papers(self, merchant_id: str, agent: dict[str, str] | None) -> list[str]:
        """Which of an agent's papers were not handed in as documents of the merchant."""
        missing = []
        for paper in PAPERS if agent is not None else ():
            document_id = (agent or {}).get(paper) or ""
            where = {"document_id": document_id, "merchant_id": merchant_id}
            found = await self._journal.select(Question(DocumentRow, where, limit=1)) if document_id else []
            if not found:
                missing.append(paper)
        return missing

    def _refuse_second(self, batch: Batch) -> None:
        for row in self._registry.records.of_kind(APPLICATION):
            if body_of(row)["batch_id"] == batch.batch_id and not LIFE.ended(row.state):
                text = f"application {row.record_id} for batch {batch.number} is {row.state} already"
                raise Refused("application_open", text, application_id=row.record_id)

    def _comparison(self, body: dict[str, Any]) -> Comparison | None:
        """How the vouchers compare now; None once the batch is not there to be compared with."""
        book = self._book_of(body)
        batch = book.batch_of_id(body["batch_id"])
        return None if batch is None else compare(_vouchers(body), batch, book.policy)

    def _batch_of(self, body: dict[str, Any]) -> Batch:
        """The batch applied for; raises Refused once it is settled."""
        batch = self._book_of(body).batch_of_id(body["batch_id"])
        if batch is None or batch.closed:
            how = "" if batch is None else f": {batch.result} at {iso_utc(batch.closed_at_ms)}"
            text = f"batch {body['batch_number']} of terminal {body['terminal_id']} is settled already{how}"
            raise Refused("batch_settled", text)
        return batch

    def _book_of(self, body: dict[str, Any]) -> Book:
        book = self._registry.of_no(body["terminal_no"])
        if book is None:
            raise Refused("not_there", f"no terminal {body['terminal_id']}", status=404)
        return book

    def _row(self, application_id: str, book: Book | None = None) -> RecordRow:
        row = self._registry.records.find(APPLICATION, application_id)
        if row is None or (book is not None and body_of(row)["terminal_no"] != book.terminal_no):
            raise Refused("not_there", f"no settlement application {application_id}", status=404)
        return row

    def _subject(self, book: Book) -> Subject:
        return Subject(f"terminal {book.terminal_id}", book.merchant_id, book)


def application_view(row: RecordRow) -> dict[str, Any]:
    """An application as the API shows it."""
    body = body_of(row)
    vouchers = [Voucher(*voucher)._asdict() for voucher in body.pop("vouchers")]
    return {
        "id": row.record_id,
        "state": row.state,
        "possible": list(LIFE.possible(row.state)),
        "merchant_id": row.merchant_id,
        "changed_at": iso_utc(row.changed_at_ms),
        **body,
        "vouchers": vouchers,
    }


def _vouchers(body: dict[str, Any]) -> list[Voucher]:
    return [Voucher(*voucher) for voucher in body["vouchers"]]


def _checked(found: Comparison) -> dict[str, Any]:
    return {"complete": found.complete, **found._asdict()}


def _unsettled(book: Book) -> Batch:
    batch = unsettled_batch(book)
    if batch is None:
        raise Refused("nothing_to_settle", f"terminal {book.terminal_id} has no batch with money in it")
    return batch


def _refuse_without(papers: list[str]) -> None:
    if papers:
        text = f"an agent needs the merchant's {', '.join(papers)} as documents handed in before"
        raise Refused("papers_missing", text, status=422, missing=papers)


def _content(actor: Actor, handed_in: HandedIn, book: Book, batch: Batch, now_ms: int) -> dict[str, Any]:
    """What hangs on what was handed in."""
    vouchers = read_vouchers(handed_in.vouchers, batch.currency)
    return {
        "applicant": plain_text("applicant", handed_in.applicant, needed=False) or actor.name,
        "handed_in_by": actor.name,
        "handed_in_at": iso_utc(now_ms),
        "agent": _agent(handed_in.agent),
        "vouchers": [list(voucher) for voucher in vouchers],
        "checked": _checked(compare(vouchers, batch, book.policy)),
        "review": None,
        "confirmation": None,
    }


def _agent(agent: dict[str, str] | None) -> dict[str, str] | None:
    """What is kept of an agent: the name, and the papers by their documents."""
    if agent is None:
        return None
    return {"name": plain_text("agent.name", agent.get("name", "")), **{paper: agent[paper] for paper in PAPERS}}


def _refuse_own(actor: Actor, body: dict[str, Any]) -> None:
    agent = body["agent"] or {}
    check_other_person(actor, (body["applicant"], body["handed_in_by"], agent.get("name", "")), "a review")


def _refuse_incomplete(found: Comparison) -> None:
    if not found.complete:
        text = f"{len(found.missing)} vouchers are missing and {len(found.mismatched)} do not match: reject it"
        raise Refused("vouchers_incomplete", text, **_checked(found))


def _confirmation(application_id: str, batch: Batch, now_ms: int) -> dict[str, Any]:
    """What the applicant gets for the papers: that the batch is settled, and with how much."""
    debit, credit = sides(batch)
    return {
        "number": f"{batch.batch_id}-{application_id}",
        "result": "settled_by_host",
        "settled_at": iso_utc(now_ms),
        "debit": {"count": debit.count, "amount_minor": debit.amount_minor},
        "credit": {"count": credit.count, "amount_minor": credit.amount_minor},
        "currency": batch.currency,
    }
