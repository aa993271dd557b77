"""The load itself: one thread, raw sockets, epoll. Lighter than the host it fires at, or it measures itself."""

from __future__ import annotations

import select
import time
from collections import Counter, deque
from collections.abc import Sequence

from pos_terminal.load.gun import Gun
from pos_terminal.load.latency import COUNTED_US, LatencyCounter
from pos_terminal.load.report import LoadReport

RECEIVE_BYTES = 4096
"""Room for one answer, and little enough to be allocated quickly; a longer one is read in parts."""

DRAIN_S = 2.0
"""How long answers are waited for after the last shot."""

LONGEST_POLL_S = 0.1
"""The end of the run is looked for at least this often."""


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
