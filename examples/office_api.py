"""The host's admin API for the examples: one request, one JSON answer; a refusal is a problem document."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

ANSWER_WITHIN_S = 120.0
"""Moving the clock by weeks answers only after all that fell due has happened."""


class Refused(Exception):
    """The API refused; `problem` is its problem document."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(f"{problem['status']} {problem['title']}: {problem['detail']}")
        self.problem = problem


class OfficeApi:
    """The API at `url` for the holder of `token`."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token

    def as_user(self, token: str) -> OfficeApi:
        """The same API for somebody else."""
        return OfficeApi(self._url, token)

    def get(self, path: str) -> Any:
        """The answer to a question; raises Refused."""
        return self._ask("GET", path, None)

    def post(self, path: str, **body: Any) -> Any:
        """Do something; raises Refused."""
        return self._ask("POST", path, body)

    def put(self, path: str, **body: Any) -> Any:
        """Set something; raises Refused."""
        return self._ask("PUT", path, body)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        request = urllib.request.Request(
            f"{self._url}/api/v1{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(json.load(error)) from None
