"""The software under test: a small terminal of somebody's own, which knows nothing of pos-host.

It speaks ISO 8583:1987 in ASCII behind four digits of length. What it does not hear an answer to it reverses before it
sells again, and goes on trying until the host has heard it.
"""

from __future__ import annotations

import socket
from datetime import datetime

import iso8583
from iso8583.specs import default_ascii

CARD = "4111111111111111"
PURCHASE, REVERSAL = "0200", "0400"


class MyTerminal:
    def __init__(self, host: str, port: int, terminal_id: str, timeout_s: float = 5.0) -> None:
        self.address = (host, port)
        self.terminal_id = terminal_id
        self.timeout_s = timeout_s
        self.stan = 0
        self.pending: dict[str, str] | None = None
        self.display = ""

    def sell(self, amount_minor: int, card: str = CARD) -> str | None:
        """Sell; gives the response code, None while nobody knows whether it was approved."""
        if self.pending is not None and not self._reverse():
            self.display = "NO LINE"
            return None
        sale = self._message(PURCHASE, card, amount_minor)
        self.pending = sale
        answer = self._ask(sale)
        if answer is None:
            self.display = "NO ANSWER"
            return None
        self.pending = None
        self.display = "APPROVED" if answer["39"] == "00" else f"DECLINED {answer['39']}"
        return answer["39"]

    def _reverse(self) -> bool:
        assert self.pending is not None
        sale = self.pending
        reversal = {**sale, "t": REVERSAL, "90": (sale["t"] + sale["11"] + sale["7"]).ljust(42, "0")}
        answer = self._ask(reversal)
        if answer is None:
            return False
        self.pending = None
        return True

    def _message(self, mti: str, card: str, amount_minor: int) -> dict[str, str]:
        self.stan += 1
        now = datetime.now()
        return {
            "t": mti,
            "2": card,
            "3": "000000",
            "4": f"{amount_minor:012d}",
            "7": f"{now:%m%d%H%M%S}",
            "11": f"{self.stan:06d}",
            "12": f"{now:%H%M%S}",
            "13": f"{now:%m%d}",
            "22": "012",
            "41": self.terminal_id,
            "42": "898000000000001",
            "49": "156",
        }

    def _ask(self, message: dict[str, str]) -> dict[str, str] | None:
        body, _ = iso8583.encode(dict(message), default_ascii)
        try:
            with socket.create_connection(self.address, self.timeout_s) as line:
                line.settimeout(self.timeout_s)
                line.sendall(f"{len(body):04d}".encode() + body)
                length = int(self._read(line, 4))
                answer, _ = iso8583.decode(self._read(line, length), default_ascii)
        except (OSError, EOFError, ValueError):
            return None
        return answer if answer["11"] == message["11"] else None

    def _read(self, line: socket.socket, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = line.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data
