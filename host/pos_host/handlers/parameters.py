"""Parameter download: what a terminal is told about itself, about keys of the schemes and chip applications.

What an answer carries is said by the function's row in the dialect; the notice that a download has ended carries none.
The tables are imported when a terminal first asks: a host that starts has no use for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from pos_host.clock import Instant
from pos_host.handlers.posting_entry import request_entry
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.decision import Decision
from pos_host.ledger.takeover import taken_over
from pos_host.transaction.request import Request

if TYPE_CHECKING:
    from pos_specs.chip_parameters import Application, CaKey, ChipParameters

ASKED = 62
"""The element in which a terminal says what it wants, and in which it is answered (unionpay.md 2.3)."""

NOTHING, COMPLETE, MORE = b"0", b"1", b"2"
"""The first byte of an answer: nothing of the kind, this is all of it, ask again."""

OWN_PARTS = frozenset({"terminal_parameters", "merchant_lines"})
"""Parts of an answer in which a terminal takes over what was changed for it; keys and applications are everybody's."""

MOST_LIST_BYTES = 512
"""Of the entries in one answer: DE62 has 512 bytes on paper (unionpay.md 2); a list goes on in the next answer."""


def parameters(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Answer what the function's row in the dialect says that it carries."""
    rrn = book.next_rrn()
    entry = request_entry(request, book, batch, now, "approved", rrn, "", amount_minor=0)
    values = {name: _MAKERS[name](request) for name in request.rule.answer.values() if name in _MAKERS}
    taken = taken_over(book.owed, now.at_ms) if OWN_PARTS & values.keys() else ()
    return Decision("approved", now.at_ms, rrn, values=values, entries=(entry,), rows=tuple(taken))


def list_page(entries: Sequence[bytes], known: int, most_bytes: int = MOST_LIST_BYTES) -> bytes:
    """The part of a list that follows the `known` entries a terminal has, behind the byte that says what is left."""
    page, taken = b"", known
    while taken < len(entries) and len(page) + len(entries[taken]) <= most_bytes:
        page += entries[taken]
        taken += 1
    if not page:
        return NOTHING
    return (COMPLETE if taken == len(entries) else MORE) + page


def _terminal_parameters(request: Request) -> str:
    from pos_specs.terminal_parameters import shipped_terminal_parameters, tagged

    dialect = request.language.dialect
    layout = next((layout for layout in dialect.layouts.get(ASKED, ()) if layout.name == "terminal_parameters"), None)
    if layout is None:
        return ""
    return tagged(shipped_terminal_parameters(), layout, dialect.wire.text).hex().upper()


def _merchant_lines(request: Request) -> str:
    from pos_specs.terminal_parameters import merchant_text, shipped_terminal_parameters

    return merchant_text(shipped_terminal_parameters())


def _ca_key(request: Request) -> str:
    asked = _asked(request)
    return _one(_chip_parameters().ca_key(asked.get("9F06", ""), asked.get("9F22", "")))


def _application(request: Request) -> str:
    return _one(_chip_parameters().application(_asked(request).get("9F06", "")))


def _ca_key_list(request: Request) -> str:
    return _list(request, _chip_parameters().ca_keys)


def _application_list(request: Request) -> str:
    return _list(request, _chip_parameters().applications)


_MAKERS: Mapping[str, Callable[[Request], str]] = {
    "terminal_parameters": _terminal_parameters,
    "merchant_lines": _merchant_lines,
    "ca_key": _ca_key,
    "ca_key_list": _ca_key_list,
    "application": _application,
    "application_list": _application_list,
}
"""How the parts of an answer are made, by their name in the dialect. Binary ones are hex."""


def _chip_parameters() -> ChipParameters:
    from pos_specs.chip_parameters import shipped_chip_parameters

    return shipped_chip_parameters()


def _asked(request: Request) -> Mapping[str, str]:
    """The data objects by which a terminal names one key or application."""
    parts = request.language.parts.of(request.message, ASKED) or {}
    return {tag: value for tag, value in parts.items() if isinstance(value, str)}


def _one(found: CaKey | Application | None) -> str:
    return (NOTHING if found is None else COMPLETE + found.download()).hex().upper()


def _list(request: Request, items: Sequence[CaKey] | Sequence[Application]) -> str:
    known = _asked(request).get("position", "")
    return list_page([item.entry() for item in items], int(known) if known.isdecimal() else 0).hex().upper()
