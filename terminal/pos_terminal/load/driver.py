"""The load itself: one thread, raw sockets, epoll. Lighter than the host it fires at, or it measures itself."""

from __future__ import annotations

import resource
import select
import socket
import ssl
import time
from collections import Counter, deque
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
from pos_terminal.load.latency import COUNTED_US, LatencyCounter
from pos_terminal.load.report import LoadReport
from pos_terminal.memory import LAST_NUMBER, Memory
from pos_terminal.pin_pad import PadSettings
from pos_terminal.terminal import Terminal

RECEIVE_BYTES = 4096
"""Room for one answer, and little enough to be allocated quickly; a longer one is read in parts."""

SIGN_IN_TIMEOUT_S = 10.0
DRAIN_S = 2.0
"""How long answers are waited for after the last shot."""

SPARE_FILES = 64
"""Open files besides the connections: libraries, standard streams, the poller."""

LONGEST_POLL_S = 0.1
"""The end of the run is looked for at least this often."""


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


class Volley:
    """All guns, and what came of their shots; `label` is what an expected answer counts as."""

    def __init__(self, guns: Sequence[Gun], poller: select.epoll, label: str) -> None:
        self._guns = {gun.fd: gun for gun in guns}
        self._epoll = poller
        for gun in guns:
            gun.sock.setblocking(False)
            self._epoll.register(gun.fd, select.EPOLLIN)
        self._terminals = len(guns)
        self._label = label
        self.forget()

    def forget(self) -> None:
        """Begin counting anew."""
        self._latencies = LatencyCounter()
        self._codes: Counter[str] = Counter()
        self._wrong = self._disconnected = self._unsent = 0

    def close(self) -> None:
        """Hang up everywhere."""
        self._epoll.close()
        for gun in self._guns.values():
            gun.sock.close()

    def fire(self, seconds: float, rate: float | None) -> LoadReport:
        """Shoot for `seconds`, wait for the last answers, and report."""
        cpu_began, began_ns = time.process_time(), time.perf_counter_ns()
        end_ns = began_ns + int(seconds * 1e9)
        if rate is None:
            self._closed_loop(end_ns)
        else:
            self._open_loop(began_ns, end_ns, rate)
        took_s = (time.perf_counter_ns() - began_ns) / 1e9
        cpu_share = (time.process_time() - cpu_began) / took_s
        in_time = sum(self._codes.values())
        self._drain()
        return self._report(took_s, in_time, cpu_share)

    def _closed_loop(self, end_ns: int) -> None:
        """Each answer fires the next shot of its terminal. This is the hot loop: everything is a local name."""
        clock, guns, poll = time.perf_counter_ns, self._guns, self._epoll.poll
        counts, record, counted_us = self._latencies.counts, self._latencies.record, COUNTED_US
        approved = 0
        for gun in list(guns.values()):
            if not gun.sent_ns:
                self._shoot(gun, clock())
        while guns and clock() < end_ns:
            for fd, _ in poll(LONGEST_POLL_S):
                gun = guns[fd]
                try:
                    data = gun.recv(RECEIVE_BYTES)
                except BlockingIOError:
                    continue
                except OSError:
                    data = b""
                frame, at, code_at = gun.frame, gun.answer_stan_at, gun.answer_code_at
                stan_at, end = gun.stan_at, gun.stan_end
                if (
                    len(data) == gun.answer_bytes
                    and data[at : at + end - stan_at] == frame[stan_at:end]
                    and data.startswith(gun.code, code_at)
                ):
                    now = clock()
                    latency_us = (now - gun.sent_ns) // 1000
                    if latency_us < counted_us:
                        counts[latency_us] += 1
                    else:
                        record(latency_us)
                    approved += 1
                    value = gun.next_value[frame[end - 1]]
                    frame[end - 1] = value
                    if value == gun.zero:
                        gun.carry()
                    if gun.mac_key:
                        gun.sign()
                    gun.sent_ns = now
                    try:
                        gun.send(frame)
                    except OSError:
                        self._lose(gun)
                elif self._take_slowly(gun, data):
                    self._shoot(gun, clock())
        self._codes[self._label] += approved

    def _open_loop(self, began_ns: int, end_ns: int, rate: float) -> None:
        """A shot is due every 1/rate seconds; when no terminal is free it waits, and its latency grows."""
        clock, interval_ns = time.perf_counter_ns, 1e9 / rate
        idle = deque(gun for gun in self._guns.values() if not gun.sent_ns)
        shots = 0
        while self._guns:
            now = clock()
            due_ns = began_ns + int(shots * interval_ns)
            while idle and due_ns <= now and due_ns < end_ns:
                self._shoot(idle.popleft(), due_ns)
                shots += 1
                due_ns = began_ns + int(shots * interval_ns)
            if now >= end_ns:
                break
            wake_ns = min(due_ns if idle else end_ns, end_ns)
            idle.extend(self._answered_within(max(0.0, (wake_ns - now) / 1e9)))
        self._unsent += max(0, int((end_ns - began_ns) / interval_ns) - shots)

    def _answered_within(self, timeout_s: float) -> list[Gun]:
        """The terminals whose shots were answered by then; select waits finer than epoll's milliseconds."""
        if timeout_s:
            select.select([self._epoll], [], [], min(timeout_s, LONGEST_POLL_S))
        free = []
        for fd, _ in self._epoll.poll(0):
            gun = self._guns[fd]
            try:
                data = gun.recv(RECEIVE_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if self._take(gun, data):
                free.append(gun)
        return free

    def _take(self, gun: Gun, data: bytes) -> bool:
        """Judge an answer; True when the terminal is free again."""
        stan = gun.frame[gun.stan_at : gun.stan_end]
        if (
            len(data) == gun.answer_bytes
            and data[gun.answer_stan_at : gun.answer_stan_at + len(stan)] == stan
            and data.startswith(gun.code, gun.answer_code_at)
        ):
            self._count(gun, self._label)
            return True
        return self._take_slowly(gun, data)

    def _take_slowly(self, gun: Gun, data: bytes) -> bool:
        """Anything but a whole, expected approval: a first answer, a decline, a part, the end of the line."""
        if not data:
            self._lose(gun)
            return False
        done = False
        for code in gun.read_in_full(data):
            if code is None:
                self._wrong += 1
            else:
                self._count(gun, code)
                done = True
        if gun.framer.error is not None:
            self._lose(gun)
            return False
        return done

    def _count(self, gun: Gun, code: str) -> None:
        self._latencies.record((time.perf_counter_ns() - gun.sent_ns) // 1000)
        self._codes[code] += 1
        gun.sent_ns = 0

    def _shoot(self, gun: Gun, due_ns: int) -> None:
        gun.next_stan()
        gun.sent_ns = due_ns
        try:
            gun.send(gun.frame)
        except OSError:
            self._lose(gun)

    def _lose(self, gun: Gun) -> None:
        if self._guns.pop(gun.fd, None) is not None:
            self._epoll.unregister(gun.fd)
            gun.sock.close()
            self._disconnected += 1

    def _drain(self) -> None:
        end_s = time.monotonic() + DRAIN_S
        while any(gun.sent_ns for gun in self._guns.values()) and time.monotonic() < end_s:
            self._answered_within(LONGEST_POLL_S)

    def _report(self, seconds: float, in_time: int, cpu_share: float) -> LoadReport:
        histogram = self._latencies.histogram()

        def percentile_ms(percent: float) -> float:
            return round(float(histogram.get_value_at_percentile(percent)) / 1000, 3)

        return LoadReport(
            terminals=self._terminals,
            seconds=seconds,
            messages=sum(self._codes.values()),
            in_time=in_time,
            codes={code: count for code, count in self._codes.items() if count},
            wrong=self._wrong,
            unanswered=sum(1 for gun in self._guns.values() if gun.sent_ns),
            unsent=self._unsent,
            disconnected=self._disconnected,
            driver_cpu_share=cpu_share,
            p50_ms=percentile_ms(50),
            p90_ms=percentile_ms(90),
            p99_ms=percentile_ms(99),
            p999_ms=percentile_ms(99.9),
            max_ms=percentile_ms(100),
        )


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
