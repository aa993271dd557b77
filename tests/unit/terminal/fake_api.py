"""The host's admin API as far as a day asks it, answering from a dictionary."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

TOKEN = "secret"


def a_batch(
    number: str = "000001",
    state: str = "open",
    result: str | None = None,
    debit: tuple[int, int] = (0, 0),
    credit: tuple[int, int] = (0, 0),
) -> dict[str, Any]:
    """A batch as the API shows it."""
    return {
        "id": 1,
        "number": number,
        "state": state,
        "result": result,
        "debit": {"count": debit[0], "amount_minor": debit[1]},
        "credit": {"count": credit[0], "amount_minor": credit[1]},
        "currency": "CNY",
    }


@contextmanager
def api(answers: dict[str, Any]) -> Iterator[str]:
    """Serves `answers` by path (without /api/v1); gives the base address. A string answer is sent as it is."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path.removeprefix("/api/v1")
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                self._send(401, "{}")
            elif path not in answers:
                self._send(404, "{}")
            else:
                found = answers[path]
                self._send(200, found if isinstance(found, str) else json.dumps(found))

        def _send(self, status: int, text: str) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *parts: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
