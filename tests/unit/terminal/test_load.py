"""The load driver against a scripted host and against an echo."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.patience import HANGING_S
from tests.unit.terminal.scripted_host import ScriptedHost, a_terminal
from tests.unit.terminal.tcp_host import serving

from pos_terminal.cards import TEST_CARDS
from pos_terminal.client import NoConnection
from pos_terminal.commands import Purchase
from pos_terminal.load import CannotFire, Target, run_load
from pos_terminal.load.gun import Gun
from pos_terminal.load.latency import COUNTED_US, LatencyCounter

DIALECTS = ["unionpay", "hypercom", "iso87-ascii", "iso93-ascii", "base24-pos"]


class NoSocket:
    """In place of a connection where nothing is sent."""

    recv = send = None

    def fileno(self) -> int:
        return -1


def a_gun(dialect: str, stan: int) -> Gun:
    terminal = a_terminal(dialect)
    terminal.memory.stan = stan
    terminal.begin(Purchase(TEST_CARDS["unionpay"], 1234, "156"))
    request = terminal.next_request()
    assert request is not None
    return Gun(NoSocket(), terminal.language, request, echo=False)  # type: ignore[arg-type]


def shot(gun: Gun) -> tuple[str, str]:
    message = gun.language.decode(gun.body_of(gun.frame))
    return message.fields[11], message.fields[4]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_only_the_stan_changes_from_shot_to_shot(dialect: str) -> None:
    gun = a_gun(dialect, 8)

    shots = []
    for _ in range(3):
        shots.append(shot(gun))
        gun.next_stan()

    assert [("000009", "000000001234"), ("000010", "000000001234"), ("000011", "000000001234")] == shots


@pytest.mark.parametrize("dialect", DIALECTS)
def test_after_999999_comes_000001_with_another_amount(dialect: str) -> None:
    gun = a_gun(dialect, 999_998)
    assert "999999" == shot(gun)[0]

    gun.next_stan()

    assert ("000001", "000000001235") == shot(gun)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_inner_loops_shortcut_counts_alike(dialect: str) -> None:
    gun = a_gun(dialect, 999_898)

    for _ in range(101):
        last = gun.stan_end - 1
        gun.frame[last] = gun.next_value[gun.frame[last]]
        if gun.frame[last] == gun.zero:
            gun.carry()

    assert ("000001", "000000001235") == shot(gun)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("rate", [None, 200.0])
def test_every_purchase_is_answered_and_counted(dialect: str, rate: float | None) -> None:
    host = ScriptedHost(dialect)
    with serving(host) as tcp:
        report = run_load([Target("127.0.0.1", tcp.port, dialect)], 3, 0.3, rate)

    assert {host.language.dialect.outcomes["approved"]} == report.codes.keys()
    assert len(host.of("purchase")) == report.messages > 3
    assert (0, 0, 0) == (report.wrong, report.unanswered, report.disconnected)
    stans = [(request.fields[41], request.fields[11]) for request in host.of("purchase")]
    assert len(stans) == len(set(stans))
    assert 0 < report.p50_ms <= report.p99_ms <= report.max_ms


def test_a_unionpay_load_signs_in_for_its_batch_number() -> None:
    host = ScriptedHost("unionpay")
    host.will("sign_in", {60: "00000033001"})
    with serving(host) as tcp:
        run_load([Target("127.0.0.1", tcp.port, "unionpay")], 1, 0.1)

    assert {"000033"} == {request.fields[60][2:8] for request in host.of("purchase")}


def test_declines_and_strangers_are_counted_apart() -> None:
    host = ScriptedHost("hypercom")
    host.will("purchase", {}, {39: "51"}, {}, {11: "999999"})
    with serving(host) as tcp:
        report = run_load([Target("127.0.0.1", tcp.port, "hypercom")], 1, 1.0)

    assert {"00": 2, "51": 1} == dict(report.codes)
    assert (1, 1) == (report.wrong, report.unanswered)


def test_a_host_that_hangs_up_is_noticed() -> None:
    with serving(ScriptedHost("hypercom")) as tcp:
        tcp.hang_up_after = 3
        report = run_load([Target("127.0.0.1", tcp.port, "hypercom")], 2, HANGING_S)  # ends with its last connection

    assert (6, 2) == (report.messages, report.disconnected)


def test_answers_in_pieces_are_put_together() -> None:
    with serving(ScriptedHost("hypercom")) as tcp:
        tcp.slices = True
        report = run_load([Target("127.0.0.1", tcp.port, "hypercom")], 1, 0.2)

    assert report.messages > 0
    assert 0 == report.wrong


def test_a_rate_that_no_terminal_is_free_for_shows_in_latency_and_count() -> None:
    host = ScriptedHost("hypercom")
    with serving(host) as tcp:
        host.answer_delay_s = 0.02
        report = run_load([Target("127.0.0.1", tcp.port, "hypercom")], 1, 0.4, 500.0)

    assert report.unsent > 0
    assert report.max_ms > 100


def test_a_warm_up_does_not_count() -> None:
    host = ScriptedHost("hypercom")
    with serving(host) as tcp:
        report = run_load([Target("127.0.0.1", tcp.port, "hypercom")], 1, 0.1, warm_up_s=0.2)

    assert report.messages < len(host.of("purchase"))


def test_targets_whose_approvals_have_other_codes_are_not_fired_at_together() -> None:
    targets = [Target("127.0.0.1", 1, dialect) for dialect in ("iso87-ascii", "iso93-ascii")]

    with pytest.raises(CannotFire, match="approve with 00 and 000"):
        run_load(targets, 2, 0.1)


def test_no_host_no_load() -> None:
    with serving(ScriptedHost("hypercom")) as tcp:
        pass
    with pytest.raises(NoConnection, match="Connection refused"):
        run_load([Target("127.0.0.1", tcp.port, "hypercom")], 1, 0.1)


@contextmanager
def echoing() -> Iterator[int]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while data := self.request.recv(65536):
                self.request.sendall(data)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("rate", [None, 200.0])
def test_an_echo_can_be_measured_with_the_same_frames(rate: float | None) -> None:
    with echoing() as port:
        report = run_load([Target("127.0.0.1", port, "unionpay")], 2, 0.2, rate, echo=True)

    assert {"echo": report.messages} == dict(report.codes)
    assert report.messages > 3


def test_latencies_of_any_length_are_kept() -> None:
    counter = LatencyCounter()
    for latency_us in (100, 200, COUNTED_US * 3):
        counter.record(latency_us)

    histogram = counter.histogram()

    assert 3 == histogram.get_total_count()
    assert 6_000_000 == pytest.approx(histogram.get_max_value(), rel=0.001)


def test_a_report_says_when_the_driver_is_the_limit() -> None:
    with echoing() as port:
        report = run_load([Target("127.0.0.1", port, "unionpay")], 1, 0.1, echo=True)

    assert {"rate", "codes", "latency_ms", "driver_cpu_share"} <= report.to_json().keys()
    assert (report.driver_cpu_share > 0.9) == report.driver_limited
    assert report.table().row_count >= 7
