"""A load from begin to end: a connection and a gun for each terminal, signed in where the dialect wants it; the shots
that count; the report."""

from __future__ import annotations

import resource
import select
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from pos_specs.errors import FramingError, MessageError
from pos_specs.framing import Framer
from pos_specs.language import Language, open_language
from pos_specs.message import Message
from pos_terminal.cards import TEST_CARDS, Card
from pos_terminal.client import NoConnection, frame_of, why_not
from pos_terminal.commands import Manage, Purchase
from pos_terminal.load.gun import CannotFire, Gun
from pos_terminal.load.report import LoadReport
from pos_terminal.load.volley import RECEIVE_BYTES, Volley
from pos_terminal.memory import LAST_NUMBER, Memory
from pos_terminal.pin_pad import PadSettings
from pos_terminal.terminal import Terminal

SIGN_IN_TIMEOUT_S = 10.0
"""How long a terminal waits for its connection, and for the answer to its sign-in."""

SPARE_FILES = 64
"""Open files besides the connections: libraries, standard streams, the poller."""


class Target(NamedTuple):
    """A listener to fire at, and the dialect it speaks."""

    host: str
    port: int
    dialect: str = "unionpay"


def run_load(
    targets: Sequence[Target],
    terminals: int,
    seconds: float,
    rate: float | None = None,
    *,
    warm_up_s: float = 0.0,
    merchant_id: str = "898000000000001",
    terminal_prefix: str = "L",
    card: Card = TEST_CARDS["unionpay"],
    amount_minor: int = 1234,
    echo: bool = False,
    mac: bool = False,
    tls: ssl.SSLContext | None = None,
    began: Callable[[], None] = lambda: None,
    ended: Callable[[], None] = lambda: None,
) -> LoadReport:
    """Fire purchases from `terminals`, spread over `targets`, for `seconds` after the warm-up.

    Without `rate` each terminal sends its next purchase when the last is answered; with it, `rate` purchases a
    second are due in all, whether or not the host keeps up, and latency counts from the time each was due.
    `echo`: the targets send back what they get (a bare echo server to compare with). `mac`: each purchase has its MAC,
    under the keys of the sign-in; those of the answers are not looked at. `began` and `ended` are
    called around the shots that count, after all terminals signed in and the warm-up, for who measures the host.
    Raises NoConnection, and CannotFire for a dialect whose frames do not allow it.
    """
    label = "echo" if echo else _approval(targets)
    _allow_files(terminals + SPARE_FILES)
    poller = select.epoll()  # before the sockets: select() takes only small file numbers
    guns = [
        _load_gun(
            targets[number % len(targets)],
            f"{terminal_prefix}{number + 1:0{8 - len(terminal_prefix)}d}",
            merchant_id,
            Purchase(card, amount_minor, "156"),
            echo=echo,
            mac=mac,
            tls=tls,
        )
        for number in range(terminals)
    ]
    volley = Volley(guns, poller, label)
    try:
        if warm_up_s > 0:
            volley.fire(warm_up_s, rate)
            volley.forget()
        began()
        report = volley.fire(seconds, rate)
        ended()
        return report
    finally:
        volley.close()


def _approval(targets: Sequence[Target]) -> str:
    """The code that approves at every target; raises CannotFire where they do not agree."""
    codes = sorted({open_language(target.dialect).dialect.outcomes["approved"] for target in targets})
    if len(codes) > 1:
        raise CannotFire(f"dialects that approve with {' and '.join(codes)} cannot be fired at together")
    return codes[0] if codes else ""


def _load_gun(
    target: Target,
    terminal_id: str,
    merchant_id: str,
    purchase: Purchase,
    *,
    echo: bool,
    mac: bool,
    tls: ssl.SSLContext | None,
) -> Gun:
    language = open_language(target.dialect)
    try:
        sock = socket.create_connection((target.host, target.port), SIGN_IN_TIMEOUT_S)
        if tls is not None:
            sock = tls.wrap_socket(sock, server_hostname=target.host)
    except OSError as error:
        raise NoConnection(f"{target.host}:{target.port}: {why_not(error)}") from None
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stan = int(time.time() * 1000) % LAST_NUMBER  # not those of an earlier run: see Gun.next_stan
    memory = Memory(target.dialect, terminal_id, merchant_id, stan=stan)
    terminal = Terminal(language, memory, datetime.now, pad=PadSettings(uses_mac=mac))
    if not echo and (mac or language.dialect.batch.number == "sign_in"):
        _sign_in(sock, language, terminal)
    terminal.begin(purchase)
    request = terminal.next_request()
    if request is None:
        raise NoConnection(f"terminal {terminal_id} has no purchase to send")
    if mac and (memory.keys is None or not memory.keys.mac):
        raise CannotFire(f"{language.name}: the sign-in brought no MAC key")
    return Gun(sock, language, request, echo=echo, mac_key=memory.keys.mac if mac and memory.keys else b"")


def _allow_files(count: int) -> None:
    """Raise this process's limit of open files as far as it may be raised."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _sign_in(sock: socket.socket, language: Language, terminal: Terminal) -> None:
    """Sign in over the load's own connection, to learn the batch number."""
    terminal.begin(Manage("sign_in"))
    request = terminal.next_request()
    if request is None:
        return
    try:
        sock.sendall(frame_of(language, request))
        answer = _next_answer(sock, language)
    except (OSError, MessageError, FramingError) as error:
        raise NoConnection(f"no answer to the sign-in ({type(error).__name__})") from None
    if answer is None or terminal.receive(answer) is None:
        raise NoConnection("no answer to the sign-in")


def _next_answer(sock: socket.socket, language: Language) -> Message | None:
    framer = Framer(language.dialect.framing)
    while True:
        data = sock.recv(RECEIVE_BYTES)
        if not data:
            return None
        frames = framer.receive_data(data)
        if framer.error is not None:
            raise framer.error
        if frames:
            return language.decode(frames[0].body)
