"""Whatever is put into a request, wherever: one clear answer, no mistake of the host's, nothing kept that cannot be.

The requests are made from the OpenAPI document, so that a new operation is tried as well.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from structlog.testing import capture_logs
from tests.unit.host.admin.asking import Ask, all_asks, example_of
from tests.unit.host.admin.small_office import actor_of, client_of, open_office

from pos_host.admin.api import make_app
from pos_host.admin.problems import DETAIL_MOST
from pos_host.ledger.merchant_rows import DocumentRow
from pos_host.storage.memory import MemoryJournal

PAN = "6222021234567890005"

ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        0,
        -1,
        1.5,
        10**30,
        float("nan"),
        float("inf"),
        "",
        " ",
        "\0",
        "a\0b",
        "\ud800",
        "\u202e",
        "9" * 5000,
    ),
    *(PAN, "6222 0212 3456 7890 005", [], [None], {}, {"a": 1}, {"a": float("nan")}, [[[]]], "2026-02-30", "1e5"),
    *("0000-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "PT99999999999H", "١٢٣"),
)
"""Values that something is sure to stumble over."""

BODIES = (
    *(b"", b"null", b"[]", b'"x"', b"1e999", b"NaN", b"\xff\xfe", b"{}{}", b'{"a":"\\ud800"}', b'{"\\ud800":1}'),
    *(b"[" * 100_000, b'{"a":' * 50_000, b'{"nobody":1}', b"\xef\xbb\xbf{}", b'{"why":' + b"9" * 5000 + b"}"),
)

TRIED_EACH = 2
"""Odd values for each place; more of them in a seed of one's own find no more, and take their time."""

CLEAR = ("licence_number", "licence", "seed")
"""Numbers of a business licence, and those that chance begins with, may be as long as a card's, and are shown."""


def places_in(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something can be put into a body, the body itself first."""
    yield place
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inside:
        yield from places_in(part, (*place, key))


def put(value: Any, place: tuple[Any, ...], odd: Any) -> Any:
    """`value` with something odd at a place."""
    if not place:
        return odd
    made = json.loads(json.dumps(value))
    inner = made
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = odd
    return made


def as_text(odd: Any) -> str:
    return (odd if isinstance(odd, str) else json.dumps(odd)).encode("utf-8", "replace").decode()


class Requests:
    """The odd variants of one operation; `chance` picks what is tried where."""

    def __init__(self, document: dict[str, Any], ask: Ask, chance: random.Random) -> None:
        self._document = document
        self._ask = ask
        self._chance = chance
        self._operation = document["paths"][ask.template][ask.method.lower()]

    def all(self) -> Iterator[httpx.Request]:
        for parameter in self._operation.get("parameters", ()):
            for odd in self._chance.sample(ODD, TRIED_EACH):
                text = as_text(odd)
                if parameter["in"] == "query":
                    yield self._made(query={**self._ask.query, parameter["name"]: text})
                elif text:
                    yield self._made(path=self._path(parameter["name"], text))
        if "requestBody" in self._operation:
            whole = self._whole_body()
            for place in places_in(whole):
                for odd in self._chance.sample(ODD, TRIED_EACH):
                    yield self._made(body=put(whole, place, odd))
            for content in self._chance.sample(BODIES, TRIED_EACH):
                yield self._made(content=content)

    def _made(
        self,
        path: str | None = None,
        query: dict[str, str] | None = None,
        body: Any = ...,
        content: bytes | None = None,
    ) -> httpx.Request:
        given = self._ask.body if body is ... else body
        text = content if content is not None else b"" if body is ... and given is None else json.dumps(given).encode()
        url = httpx.URL(f"http://host{path or self._ask.path}", params=self._ask.query if query is None else query)
        return httpx.Request(self._ask.method, url, content=text)

    def _path(self, name: str, text: str) -> str:
        path = self._ask.template
        for parameter in self._operation["parameters"]:
            if parameter["in"] == "path":
                value = text if parameter["name"] == name else str(example_of(self._document, parameter["schema"]))
                path = path.replace("{" + parameter["name"] + "}", quote(value, safe=""))
        return path

    def _whole_body(self) -> Any:
        """The example with what may be left out as well."""
        if not isinstance(self._ask.body, dict):
            return self._ask.body
        (content,) = self._operation["requestBody"]["content"].values()
        schema = content["schema"]
        while "$ref" in schema:
            schema = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        whole = dict(self._ask.body)
        for name, part in schema.get("properties", {}).items():
            try:
                whole.setdefault(name, example_of(self._document, part))
            except KeyError:
                whole.setdefault(name, None)
        return whole


@pytest.mark.parametrize("seed", [1])
async def test_an_odd_request_gets_one_clear_answer_and_leaves_nothing_that_cannot_be_kept(seed: int) -> None:
    office, chance = await open_office(), random.Random(seed)
    app = make_app(office, actor_of, "0.1.0")
    document = app.openapi()
    asks, found = all_asks(document), list[str]()
    with capture_logs() as lines:
        async with client_of(app) as api:
            for ask in asks:  # so that there is something to ask about
                if ask.method != "GET":
                    await api.request(ask.method, ask.path, params=ask.query, json=ask.body)
            for ask in asks:
                for request in Requests(document, ask, chance).all():
                    request.headers.update(api.headers)
                    found.append(unclear(ask, request, await api.send(request)))

    assert [] == list(filter(None, found))
    assert [] == [line for line in lines if line["log_level"] == "error"]
    journal = office.parts.journal
    assert isinstance(journal, MemoryJournal)
    assert_can_be_stored(journal)


def unclear(ask: Ask, request: httpx.Request, answer: httpx.Response) -> str:
    """What is wrong with an answer; "" where nothing is."""
    asked = request.content.decode("utf-8", "replace")
    wrong = ""
    if answer.status_code >= 500:
        wrong = "the host's mistake"
    elif answer.status_code >= 400 and "application/problem+json" != answer.headers["Content-Type"]:
        wrong = "no problem document"
    elif answer.status_code >= 400 and not 0 < len(answer.json()["detail"]) <= DETAIL_MOST:
        wrong = "says nothing, or too much"
    elif PAN in answer.text and not any(name in asked for name in CLEAR):
        wrong = "a card in clear"
    return wrong and f"{wrong}: {ask.method} {ask.template} {request.url.query!r} {asked[:200]!r}: {answer.text[:200]}"


def assert_can_be_stored(journal: MemoryJournal) -> None:
    """SQLite keeps texts that have bytes, and numbers of 64 bits; and nobody's card stands among them."""
    rows = [row for table in journal.rows.values() for row in table.values() if not isinstance(row, DocumentRow)]
    for row in (*rows, *(stored.entry for stored in journal.entries)):
        for value in row:
            assert not isinstance(value, int) or abs(value) < 2**63, row
            assert not isinstance(value, str) or PAN not in value.encode().decode() or "licence" in value, row
