"""The host's side of the books, read through its admin API."""

from __future__ import annotations

import asyncio
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, NamedTuple

from pos_specs.totals import Side

HTTP_TIMEOUT_S = 10.0
"""The API answers in milliseconds; a host that needs longer is in trouble."""


class ApiFailed(Exception):
    """The admin API could not be asked, or gave no sense."""


class NotReached(ApiFailed):
    """Nobody answers at the admin API's address."""


class HostBatch(NamedTuple):
    """A batch as the host keeps it."""

    number: str
    state: str
    result: str | None
    debit: Side
    credit: Side

    @property
    def has_money(self) -> bool:
        return bool(self.debit.count or self.credit.count)


class HostBooks:
    """One host's admin API. `base` is its address (`http://127.0.0.1:8580`), `token` the bearer token."""

    def __init__(self, base: str, token: str) -> None:
        self._base = base.rstrip("/")
        self._token = token

    async def current_batch(self, merchant_id: str, terminal_id: str) -> HostBatch | None:
        """The terminal's current batch; None for a terminal the host does not know. Raises ApiFailed."""
        found = await self._get(f"/terminals/{urllib.parse.quote(terminal_id)}", merchant_id)
        return None if found is None else _batch(found["batch"])

    async def batches(self, merchant_id: str, terminal_id: str) -> list[HostBatch]:
        """The terminal's batches that the API lists. Raises ApiFailed."""
        found = await self._get(f"/terminals/{urllib.parse.quote(terminal_id)}/batches", merchant_id)
        return [] if found is None else [_batch(item) for item in found["items"]]

    async def _get(self, path: str, merchant_id: str) -> Any:
        query = urllib.parse.urlencode({"merchant_id": merchant_id})
        return await asyncio.to_thread(self._get_now, f"{self._base}/api/v1{path}?{query}")

    def _get_now(self, url: str) -> Any:
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self._token}"})
        try:
            with urllib.request.urlopen(request, timeout=HTTP_TIMEOUT_S) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise ApiFailed(f"{url}: {error.code} {error.reason}") from None
        except (OSError, http.client.HTTPException) as error:
            raise NotReached(f"{url}: {error}") from None
        except ValueError as error:
            raise ApiFailed(f"{url}: {error}") from None


def _batch(table: dict[str, Any]) -> HostBatch:
    try:
        return HostBatch(
            number=table["number"],
            state=table["state"],
            result=table.get("result"),
            debit=_side(table["debit"]),
            credit=_side(table["credit"]),
        )
    except (KeyError, TypeError) as error:
        raise ApiFailed(f"a batch without {error}") from None


def _side(table: dict[str, Any]) -> Side:
    return Side(int(table["count"]), int(table["amount_minor"]))
