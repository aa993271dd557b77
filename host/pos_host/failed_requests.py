"""Requests that were answered 96: a late copy of one is answered 96 again and not decided anew."""

from __future__ import annotations

from pos_host.ledger.book import Book
from pos_host.ledger.entry import ADVICES, FINANCIAL
from pos_host.transaction.request import Request

DECIDED_ONCE = FINANCIAL - ADVICES | {"settlement"}
"""Functions that a terminal does not send again under the same STAN once they were answered, even with 96;
reversals, uploads and advices it does."""

FAILED_FOR_MS = 300_000
"""How long a request that was answered 96 is answered 96 again, since its terminal took it for declined: money
approved under a copy that was still on its way would be money nobody knows of. No copy is so late."""

FAILED_REMEMBERED = 100_000
"""How many such requests at most: a full disk under full load makes them fast, and they cost memory."""


class FailedRequests:
    """The requests that failed lately. `requests` has the time of each in UTC milliseconds, the oldest first; it is
    empty on a good day, so that the line need not ask further."""

    __slots__ = ("requests",)

    def __init__(self) -> None:
        self.requests: dict[tuple[int, str, str], int] = {}

    def remember(self, request: Request, book: Book, now_ms: int) -> None:
        """This request is answered 96 now."""
        if request.function in DECIDED_ONCE:
            self.requests.setdefault((book.terminal_no, request.function, request.key), now_ms)

    def lately(self, request: Request, book: Book, now_ms: int) -> bool:
        """Whether this very request was answered 96 a while ago, and nothing else before."""
        while self.requests:
            oldest = next(iter(self.requests))
            if self.requests[oldest] + FAILED_FOR_MS > now_ms and len(self.requests) <= FAILED_REMEMBERED:
                break
            del self.requests[oldest]
        failed = (book.terminal_no, request.function, request.key) in self.requests
        return failed and not any(request.key in batch.answers for batch in book.batches)
