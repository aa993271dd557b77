"""One request and its answer, and what a command came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pos_specs.language import Language
from pos_specs.masking import mask_fields
from pos_specs.message import Message
from pos_specs.totals import Totals
from pos_terminal.applications.application import Books
from pos_terminal.transaction import Transaction


@dataclass(slots=True)
class ClosedBatch:
    """A batch that the terminal has closed. `records` stood in its log, reversed ones not counted.

    `result` is what the terminal can know: after a UnionPay upload only the host knows whether all was equal.
    """

    batch_number: str
    result: str
    books: Books
    records: int
    totals: Totals


@dataclass(slots=True)
class Exchange:
    """One message and its answer (None: it never came).

    `undone` is the transaction that this exchange reversed; `given_up`: a reversal or an advice that failed for the
    last time. `distrusted`: the answer's MAC was missing or wrong. `result` stands where a batch was closed.
    """

    function: str
    request: Message
    response: Message | None
    code: str | None
    approved: bool
    batch_number: str | None
    undone: Transaction | None = None
    given_up: bool = False
    distrusted: bool = False
    result: str | None = None
    latency_ms: float | None = None

    def to_json(self, language: Language) -> dict[str, Any]:
        """The exchange as the contract prints it, card data masked."""
        response = self.response.fields if self.response is not None else {}
        document = {
            "function": self.function,
            "response_code": self.code,
            "approved": self.approved,
            "stan": self.request.fields.get(11),
            "rrn": response.get(37),
            "batch_number": self.batch_number,
            "latency_ms": None if self.latency_ms is None else round(self.latency_ms, 2),
            "request": _shown(language, self.request),
            "response": None if self.response is None else _shown(language, self.response),
        }
        if self.result is not None:
            document["result"] = self.result
        return document


@dataclass(slots=True)
class Result:
    """What a command came to.

    `answered`: its own message was answered (for a settlement: the batch is closed). `reason` says in words
    why it was not, or why something else came before it.
    """

    answered: bool
    approved: bool = False
    code: str | None = None
    reason: str = ""
    transaction: Transaction | None = None
    closed: ClosedBatch | None = None


def _shown(language: Language, message: Message) -> dict[str, Any]:
    return {"mti": message.mti, "fields": mask_fields(language, message)}
