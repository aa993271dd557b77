"""How the verbs of the merchant's side speak with a running host: through its HTTP API, since the host owns its store.

Every failure is one line: OfficeClient raises NotDone (exit 1) for what the host refuses and UsageError (exit 2) for
bad input, or where it cannot be asked.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from pos_host.options import NotDone, UsageError

API = "/api/v1"

ANSWER_WITHIN_S = 60.0
"""A manual clock that is moved by a year lives through it first; everything else answers at once."""

BAD_INPUT = frozenset({400, 401, 413, 422})
"""Statuses that say that the request is wrong in itself; the others say that it cannot be done."""


class Send(Protocol):
    """Sends a request and gives status and body of the answer; raises OSError where there is no answer."""

    def __call__(self, method: str, url: str, headers: dict[str, str], body: bytes | None, /) -> tuple[int, bytes]: ...


class OfficeClient:
    """Asks the API at `base_url` under a token. Paths are given without `/api/v1`; parts of a path that people name
    go through `part`. Raises NotDone, or UsageError for bad input and a host that cannot be asked."""

    def __init__(self, base_url: str, token: str, send: Send | None = None) -> None:
        if not token.isascii():
            raise UsageError("--token: has characters that no token has")
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._send = send or send_over_http

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        return self.ask("GET", path, None, query)

    def post(self, path: str, body: dict[str, Any] | None = None, **query: Any) -> dict[str, Any]:
        return self.ask("POST", path, body, query)

    def put(self, path: str, body: dict[str, Any], **query: Any) -> dict[str, Any]:
        return self.ask("PUT", path, body, query)

    def patch(self, path: str, body: dict[str, Any], **query: Any) -> dict[str, Any]:
        return self.ask("PATCH", path, body, query)

    def delete(self, path: str) -> dict[str, Any]:
        return self.ask("DELETE", path, None, {})

    def items(self, path: str, most: int | None = None, **query: Any) -> Iterator[dict[str, Any]]:
        """The items of a list over all its pages, at most `most`."""
        cursor: str | None = None
        left = most
        while left is None or left > 0:
            page = self.get(path, limit=100 if left is None else min(left, 100), cursor=cursor, **query)
            yield from page["items"]
            left = None if left is None else left - len(page["items"])
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def ask(self, method: str, path: str, body: dict[str, Any] | None, query: dict[str, Any]) -> dict[str, Any]:
        """One exchange; query parameters that are None are left out."""
        text = self._ask(method, path, body, query)
        answer = _document(text)
        if answer is None:
            raise NotDone("the host's answer is no JSON document")
        return answer

    def text(self, path: str, **query: Any) -> str:
        """What is no single document: JSON lines, or CSV."""
        return self._ask("GET", path, None, query).decode()

    def stream(self, path: str, **query: Any) -> Iterator[str]:
        """The lines of an answer that goes on for as long as the host runs, each as it comes."""
        request = urllib.request.Request(self._url(path, query), headers={"Authorization": f"Bearer {self._token}"})
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S) as answer:
                for line in answer:
                    yield line.decode().rstrip("\r\n")
        except urllib.error.HTTPError as refused:
            with refused:
                raise self._refusal(refused.code, refused.read()) from None
        except (OSError, http.client.HTTPException) as error:
            raise self._unheard(error) from None

    def _url(self, path: str, query: dict[str, Any]) -> str:
        given = {name: value for name, value in query.items() if value is not None}
        return f"{self._base_url}{API}{path}" + (f"?{urlencode(given, doseq=True)}" if given else "")

    def _unheard(self, error: Exception) -> UsageError:
        reason = getattr(error, "reason", error)
        return UsageError(f"no host answers at {self._base_url}: {reason}; is it running, with --http?")

    def _refusal(self, status: int, text: bytes) -> UsageError | NotDone:
        answer = _document(text)
        told = f"the host answered {status}" if answer is None else str(answer.get("detail", f"status {status}"))
        return (UsageError if status in BAD_INPUT else NotDone)(told)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None, query: dict[str, Any]) -> bytes:
        url = self._url(path, query)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        try:
            status, text = self._send(method, url, headers, data)
        except (OSError, http.client.HTTPException) as error:
            raise self._unheard(error) from None
        if status < 300:
            return text
        raise self._refusal(status, text)


def part(text: str) -> str:
    """`text` as one part of a path, whatever characters it has."""
    return quote(text, safe="")


def send_over_http(method: str, url: str, headers: dict[str, str], body: bytes | None, /) -> tuple[int, bytes]:
    """Send for real."""
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read()


def _document(text: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
