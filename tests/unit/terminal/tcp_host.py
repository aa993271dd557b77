"""The scripted host on a real socket, in a thread of its own, for what talks to one."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.patience import HANGING_S
from tests.unit.terminal.scripted_host import ScriptedHost

from pos_specs.framing import Framer, reply_frame


class TcpHost:
    """Serves a `ScriptedHost`. `hang_up_after` closes each connection after so many answers; `slices` sends
    answers byte by byte; `requirements` are what the headers of the next answers ask for."""

    def __init__(self, host: ScriptedHost) -> None:
        self.host = host
        self.hang_up_after = 0
        self.slices = False
        self.requirements: list[int] = []
        self.connections = 0
        self.lock = threading.Lock()
        self._going: dict[object, bool] = {}
        self._changed = threading.Condition()
        owner = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                owner.connections += 1
                try:
                    owner.serve(self.request)
                finally:
                    owner._note(self.client_address, going=False)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

            def process_request(self, request: Any, client_address: Any) -> None:
                owner._note(client_address, going=True)
                super().process_request(request, client_address)

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self.server.server_address[1]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def hear_all(self) -> None:
        """Wait until all that its callers sent has been taken: of two lines, the later may be heard first, and who
        hung up was not waiting for an answer. The callers must have hung up."""
        with socket.create_connection(("127.0.0.1", self.port)) as last, self._changed:
            called = last.getsockname()
            assert self._changed.wait_for(lambda: called in self._going, HANGING_S)  # lines are taken in their order
        with self._changed:
            assert self._changed.wait_for(lambda: not any(self._going.values()), HANGING_S)

    def _note(self, caller: object, *, going: bool) -> None:
        with self._changed:
            self._going[caller] = going
            self._changed.notify_all()

    def serve(self, sock: socket.socket) -> None:
        """One connection, until its end."""
        framing = self.host.language.dialect.framing
        framer, answered = Framer(framing), 0
        while data := _receive(sock):
            for frame in framer.receive_data(data):
                with self.lock:
                    answer = self.host.answer(self.host.language.decode(frame.body))
                if answer is None:
                    continue
                time.sleep(self.host.answer_delay_s)
                wanted = self.requirements.pop(0) if self.requirements else 0
                self._send(sock, reply_frame(framing, frame, self.host.language.encode(answer), wanted))
                answered += 1
                if answered == self.hang_up_after:
                    return

    def _send(self, sock: socket.socket, data: bytes) -> None:
        pieces = [data[at : at + 1] for at in range(len(data))] if self.slices else [data]
        for piece in pieces:
            sock.sendall(piece)


def _receive(sock: socket.socket) -> bytes:
    try:
        return sock.recv(65536)
    except OSError:
        return b""


@contextmanager
def serving(host: ScriptedHost) -> Iterator[TcpHost]:
    """A `TcpHost` that listens within the block."""
    served = TcpHost(host)
    thread = threading.Thread(target=served.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        served.server.shutdown()
        served.server.server_close()
        thread.join()
