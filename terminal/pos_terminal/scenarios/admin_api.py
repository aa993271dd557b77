"""The host's admin API as scenarios use it: rules, clock, settlement, and how the books stand."""

from __future__ import annotations

import asyncio
import http.client
import json
import urllib.error
import urllib.request
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from pos_terminal.host_books import HTTP_TIMEOUT_S, ApiFailed, NotReached

EVENTS_PAGE = 1_000
"""Events asked for at once: the most that the API gives."""


class Answer(NamedTuple):
    """Status and JSON of an answer."""

    status: int
    body: Any

    @property
    def why(self) -> str:
        """What a problem document says."""
        if not isinstance(self.body, dict):
            return str(self.status)
        return f"{self.status} {self.body.get('detail') or self.body.get('title') or ''}".strip()


class AdminApi:
    """One host's admin API. `base` is its address (`http://127.0.0.1:8580`), `token` the bearer token."""

    def __init__(self, base: str, token: str) -> None:
        self._base = base.rstrip("/")
        self._token = token
        self._seen = 0

    async def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """The answer to a request, whatever its status; raises NotReached."""
        return await asyncio.to_thread(self._ask_now, method, path, body)

    async def done(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer that is a success; raises ApiFailed with the host's reason."""
        answer = await self.ask(method, path, body)
        if not 200 <= answer.status < 300:
            raise ApiFailed(f"{method} {path}: {answer.why}")
        return answer.body

    async def terminal(self, merchant_id: str, terminal_id: str) -> dict[str, Any] | None:
        """The terminal as the host knows it; None for one that it does not. Raises ApiFailed."""
        path = of_terminal(merchant_id, terminal_id)
        answer = await self.ask("GET", path)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise ApiFailed(f"GET {path}: {answer.why}")
        found: dict[str, Any] = answer.body
        return found

    async def batches(self, merchant_id: str, terminal_id: str) -> list[dict[str, Any]]:
        """The terminal's batches, newest first. Raises ApiFailed."""
        found = await self.done("GET", of_terminal(merchant_id, terminal_id, "/batches"))
        return sorted(found["items"], key=lambda batch: int(batch["id"]), reverse=True)

    async def events_since(self, sequence: int) -> list[dict[str, Any]]:
        """Every event after a sequence, in order. Raises ApiFailed."""
        events: list[dict[str, Any]] = []
        while True:
            page = await self.done("GET", f"/events?after={sequence}&limit={EVENTS_PAGE}")
            events += page["items"]
            if not page["items"] or page["next_cursor"] is None:
                self._seen = max([self._seen, *(event["sequence"] for event in events)])
                return events
            sequence = int(page["next_cursor"])

    async def last_sequence(self) -> int:
        """The sequence of the latest event there is. Raises ApiFailed."""
        await self.events_since(self._seen)
        return self._seen

    async def reset(self) -> Any:
        """Have a clean host, whose events begin anew. Raises ApiFailed."""
        answer = await self.done("POST", "/reset")
        self._seen = 0
        return answer

    def _ask_now(self, method: str, path: str, body: Any) -> Answer:
        url = f"{self._base}/api/v1{path}"
        data = None if body is None and method in ("GET", "DELETE") else json.dumps(body or {}).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=HTTP_TIMEOUT_S) as response:
                return Answer(response.status, _json(response.read(), url))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _json(error.read(), url))
        except (OSError, http.client.HTTPException) as error:
            raise NotReached(f"{url}: {getattr(error, 'reason', error)}") from None


def of_terminal(merchant_id: str, terminal_id: str, below: str = "") -> str:
    """The path of a terminal."""
    return f"/terminals/{quote(terminal_id, safe='')}{below}?{urlencode({'merchant_id': merchant_id})}"


def _json(data: bytes, url: str) -> Any:
    try:
        return json.loads(data) if data else None
    except ValueError:
        raise ApiFailed(f"{url}: the answer is not JSON") from None
