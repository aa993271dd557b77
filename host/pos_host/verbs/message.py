"""`pos-host messages`: the last messages of a running host, as `decode` shows them; or as they come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pos_host.verbs.asking import Asked, LimitOption, asks_a_host
from pos_host.verbs.office_client import OfficeClient

if TYPE_CHECKING:
    from pos_host.decoding.describe import Row

DATA = "data: "
"""What the lines of a server-sent event that hold it begin with."""


@asks_a_host
def messages_command(
    asked: Asked,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with those that come, until Ctrl-C.")] = False,
    terminal_id: Annotated[str | None, typer.Option("--terminal-id", help="Only this terminal's.")] = None,
    function: Annotated[str | None, typer.Option("--function", help="Only of this function: purchase.")] = None,
    outcome: Annotated[str | None, typer.Option("--outcome", help="Only of this outcome: approved.")] = None,
    response_code: Annotated[str | None, typer.Option("--response-code", help="Only answered with this code.")] = None,
    rule: Annotated[str | None, typer.Option("--rule", help="Only those on which this rule acted.")] = None,
    limit: LimitOption = 10,
) -> None:
    """Show the last messages of a host with their answers, the latest last."""
    wanted = {
        "terminal_id": terminal_id,
        "function": function,
        "outcome": outcome,
        "response_code": response_code,
        "rule": rule,
    }
    if follow:
        try:
            _show(_following(asked.host, wanted), as_json=asked.as_json)
        except KeyboardInterrupt:
            return
    else:
        _show(reversed(list(asked.host.items("/messages", limit, **wanted))), as_json=asked.as_json)


def _following(host: OfficeClient, wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The messages of an event stream; what was dropped is told on standard error."""
    for line in host.stream("/messages", follow="true", **wanted):
        if line.startswith(DATA):
            document = json.loads(line.removeprefix(DATA))
            if "dropped" in document:
                typer.echo(f"pos-host: {document['dropped']} messages were dropped: too slow", err=True)
            else:
                yield document


def _show(views: Iterable[dict[str, Any]], *, as_json: bool) -> None:
    for view in views:
        if as_json:
            print(json.dumps(view, ensure_ascii=False), flush=True)
        else:
            _show_exchange(view)


def _show_exchange(view: dict[str, Any]) -> None:
    from pos_host.decoding.table import message_table, show

    show(_headline(view))
    for name in ("request", "reply"):
        if view[name] is not None:
            show(f"{name} {view[name]['mti']}", message_table(map(_row, view[name]["elements"]), 0))
    show("")


def _headline(view: dict[str, Any]) -> str:
    """`#17 2026-03-02T12:00:00.000Z unionpay: purchase of T0000001 (898000000000001): approved 00; rules no-funds`."""
    what = view["function"] or "unreadable message"
    whom = f"{view['terminal_id']} ({view['merchant_id']})" if view["terminal_id"] else view["peer"]
    line = f"#{view['number']} {view['at']} {view['dialect']}: {what} of {whom}: {view['outcome']}"
    pieces = [f"{line} {view['response_code'] or ''}".rstrip()]
    if view["reason"]:
        pieces.append(view["reason"])
    if view["rules"]:
        pieces.append(f"rules {', '.join(view['rules'])}")
    if view["fault"]:
        pieces.append(f"fault {view['fault']}")
    return "; ".join(pieces)


def _row(element: dict[str, Any]) -> Row:
    from pos_host.decoding.describe import PartRow, Row

    return Row(
        element["number"],
        element["name"],
        element["start"],
        element["end"],
        bytes.fromhex(element["raw"]),
        element["value"],
        element["meaning"],
        tuple(PartRow(**part) for part in element["parts"]),
        bytes.fromhex(element["counter"]),
    )
