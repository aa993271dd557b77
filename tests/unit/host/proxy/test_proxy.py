"""A proxy on real loopback sockets: what passes, what is harmed, and what its API says."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs
from tests.patience import HANGING_S

from pos_host.app import Host
from pos_host.cli import run_command
from pos_host.options import ServeOptions, UsageError, parse_listen
from pos_host.proxy.link import MOST_WAITING_BYTES
from pos_host.proxy.proxies import Proxies
from pos_host.proxy.proxy_api import make_proxy_app
from pos_host.proxy.running_proxy import ProxyOptions, RunningProxy
from pos_host.proxy.toxic_documents import read_toxic, read_toxic_file
from pos_specs.language import open_language
from pos_specs.recording import read_recording
from pos_terminal.addresses import Address
from pos_terminal.day import DaySettings, live_day
from pos_terminal.day_plan import plan_day
from pos_terminal.replay_plan import plan_replay

MERCHANT = "898000000000001"


@asynccontextmanager
async def an_echo(greeting: bytes = b"") -> AsyncIterator[tuple[str, int]]:
    """A host that sends back what it gets."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[:2]
    finally:
        server.close()


@asynccontextmanager
async def a_proxy(upstream: tuple[str, int], *toxics: dict[str, Any], **options: Any) -> AsyncIterator[RunningProxy]:
    told: list[str] = []
    running = RunningProxy(ProxyOptions(("127.0.0.1", 0), upstream, **options), told.append)
    ready = await running.start()
    running.address = ready["host"], ready["port"]  # type: ignore[attr-defined]
    running.told = told  # type: ignore[attr-defined]
    proxy = running.proxies.find("pos")
    await proxy.set_toxics([*proxy.toxics, *map(read_toxic, toxics)])
    try:
        yield running
    finally:
        await running.stop()


async def connect(running: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(*running.address)


async def within(what: Any, seconds: float = HANGING_S) -> Any:
    async with asyncio.timeout(seconds):
        return await what


async def test_bytes_pass_both_ways_and_so_does_the_end() -> None:
    async with an_echo() as upstream, a_proxy(upstream) as running:
        reader, writer = await connect(running)
        writer.write(b"hello")
        writer.write_eof()

        assert b"hello" == await within(reader.read())
        writer.close()


async def test_what_the_host_says_first_is_not_lost() -> None:
    async with an_echo(b"welcome") as upstream, a_proxy(upstream) as running:
        reader, writer = await connect(running)

        assert b"welcome" == await within(reader.readexactly(7))
        writer.close()


async def test_much_data_passes_whole_through_bounded_buffers() -> None:
    data = bytes(range(256)) * 4096
    async with an_echo() as upstream, a_proxy(upstream, {"type": "latency", "attributes": {"latency": 1}}) as running:
        reader, writer = await connect(running)
        writing = asyncio.create_task(write_all(writer, data))

        assert data == await within(reader.readexactly(len(data)))
        await writing
        writer.close()


async def write_all(writer: asyncio.StreamWriter, data: bytes) -> None:
    for start in range(0, len(data), 16384):
        writer.write(data[start : start + 16384])
        await writer.drain()


async def test_a_sender_is_read_no_further_than_the_buffer_while_nothing_leaves() -> None:
    late = {"type": "latency", "stream": "upstream", "attributes": {"latency": 3_600_000}}
    async with an_echo() as upstream, a_proxy(upstream, late) as running:
        _, writer = await connect(running)
        writer.write(bytes(8_000_000))
        (link,) = await until(lambda: list(running.proxies.find("pos").links))
        await until(lambda: link.client.flow.waiting_bytes >= MOST_WAITING_BYTES)
        for _ in range(20):
            await asyncio.sleep(0)

        assert link.client.flow.waiting_bytes < MOST_WAITING_BYTES + 300_000
        writer.transport.abort()


async def until(what: Callable[[], Any]) -> Any:
    async with asyncio.timeout(HANGING_S):
        while not (found := what()):  # noqa: ASYNC110 - what is waited for happens in a socket
            await asyncio.sleep(0.001)
    return found


async def test_reset_peer_is_an_rst_on_the_terminals_socket() -> None:
    async with an_echo() as upstream, a_proxy(upstream, {"type": "reset_peer"}) as running:
        reader, writer = await connect(running)

        with pytest.raises(ConnectionResetError):
            await within(reader.read())
        writer.close()


async def test_a_limit_closes_the_connection_behind_the_last_byte() -> None:
    limit = {"type": "limit_data", "attributes": {"bytes": 3}}
    async with an_echo() as upstream, a_proxy(upstream, limit) as running:
        reader, writer = await connect(running)
        writer.write(b"hello")

        assert b"hel" == await within(reader.read())
        writer.close()


async def test_a_host_that_is_not_there_closes_the_connection_and_is_told_of() -> None:
    async with a_proxy(("127.0.0.1", 1)) as running:
        reader, writer = await connect(running)

        assert b"" == await within(reader.read())
        assert ["pos: 127.0.0.1:1: Connection refused"] == running.told  # type: ignore[attr-defined]
        writer.close()


async def test_down_refuses_connections_cuts_those_that_are_there_and_ends() -> None:
    async with an_echo() as upstream, a_proxy(upstream) as running:
        proxy = running.proxies.find("pos")
        reader, writer = await connect(running)
        await until(lambda: proxy.links)

        await proxy.set_toxics([read_toxic({"type": "down"})])
        assert b"" == await within(reader.read())
        with pytest.raises(ConnectionRefusedError):
            await connect(running)

        await proxy.set_toxics([])
        _, again = await connect(running)
        for one in (writer, again):
            one.close()


async def test_a_toxic_harms_connections_that_are_there_already() -> None:
    async with an_echo() as upstream, a_proxy(upstream) as running:
        reader, writer = await connect(running)
        writer.write(b"a")
        assert b"a" == await within(reader.readexactly(1))

        await running.proxies.find("pos").set_toxics([read_toxic({"type": "duplicate"})])
        writer.write(b"b")

        assert b"bb" == await within(reader.readexactly(2))
        writer.close()


async def test_a_connection_whose_ends_are_swallowed_is_gone_when_both_sides_have_ended_it() -> None:
    both = [{"type": "half_open", "stream": stream, "name": stream} for stream in ("upstream", "downstream")]
    async with an_echo() as upstream, a_proxy(upstream, *both) as running:
        proxy = running.proxies.find("pos")
        _, writer = await connect(running)
        (link,) = await until(lambda: list(proxy.links))
        writer.write_eof()
        await until(lambda: link.client.heard_end)
        assert {link} == proxy.links

        link.server.eof_received()

        await until(lambda: not proxy.links)
        writer.close()


def test_the_command_accepts_tells_where_and_ends_on_sigterm(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "pos_host", "proxy", "--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:1"]
    with subprocess.Popen([*command, "--ready-file", str(ready)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told == json.loads(ready.read_text())
        with socket.create_connection((told["host"], told["port"]), timeout=HANGING_S) as terminal:
            assert b"" == terminal.recv(1)
        process.terminate()
        assert 0 == process.wait(timeout=HANGING_S)
    assert not ready.exists()


# -- the API


@asynccontextmanager
async def an_api() -> AsyncIterator[httpx.AsyncClient]:
    proxies = Proxies(0, lambda link, stream, data: None, lambda text: None)
    await proxies.add({"name": "pos", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9"})
    transport = httpx.ASGITransport(make_proxy_app(proxies, "1.2.3"))
    async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as client:
        yield client
    await proxies.close()


async def test_the_api_has_toxiproxys_paths_and_shapes() -> None:
    async with an_api() as api:
        listed = (await api.get("/proxies")).json()
        made = await api.post("/proxies/pos/toxics", json={"type": "latency", "attributes": {"latency": 9}})
        changed = await api.patch("/proxies/pos/toxics/latency_downstream", json={"attributes": {"jitter": 2}})
        toxics = (await api.get("/proxies/pos/toxics")).json()
        removed = await api.delete("/proxies/pos/toxics/latency_downstream")

        assert {"name", "listen", "upstream", "enabled", "toxics"} == listed["pos"].keys()
        assert (200, "latency_downstream") == (made.status_code, made.json()["name"])
        assert {"latency": 9, "jitter": 2} == changed.json()["attributes"] == toxics[0]["attributes"]
        assert (204, []) == (removed.status_code, (await api.get("/proxies/pos/toxics")).json())
        assert {"version": "1.2.3"} == (await api.get("/version")).json()


async def test_proxies_are_made_switched_off_reset_and_removed() -> None:
    async with an_api() as api:
        document = {"name": "second", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9"}
        made = await api.post("/proxies", json=document)
        off = await api.post("/proxies/second", json={"enabled": False})
        await api.post("/proxies/second/toxics", json={"type": "timeout"})
        reset = await api.post("/reset")
        after = (await api.get("/proxies/second")).json()
        populated = await api.post("/populate", json=[document])
        gone = await api.delete("/proxies/second")

        assert (201, True, False) == (made.status_code, made.json()["enabled"], off.json()["enabled"])
        assert (204, True, []) == (reset.status_code, after["enabled"], after["toxics"])
        assert (201, ["second"]) == (populated.status_code, [proxy["name"] for proxy in populated.json()["proxies"]])
        assert (204, 404) == (gone.status_code, (await api.get("/proxies/second")).status_code)


@pytest.mark.parametrize(
    ("method", "path", "document", "status", "complaint"),
    [
        ("GET", "/proxies/none", None, 404, "proxy not found"),
        ("GET", "/proxies/pos/toxics/none", None, 404, "toxic not found"),
        ("POST", "/proxies", {"name": "pos", "listen": "a:1", "upstream": "b:2"}, 409, "proxy already exists"),
        ("POST", "/proxies", {"name": "x", "listen": "nowhere", "upstream": "b:2"}, 400, "listen: must be ADDR:PORT"),
        ("POST", "/proxies/pos/toxics", {"type": "plague"}, 400, "type: must be one of"),
        ("POST", "/proxies/pos", {"enabled": "yes"}, 400, "enabled: must be true or false"),
        ("POST", "/populate", {}, 400, "body: must be a list of proxies"),
    ],
)
async def test_what_is_wrong_is_answered_in_toxiproxys_shape(
    method: str, path: str, document: Any, status: int, complaint: str
) -> None:
    async with an_api() as api:
        answer = await api.request(method, path, json=document)

    assert status == answer.status_code == answer.json()["status"]
    assert complaint in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"[" * 60_000, "body: has too many brackets inside each other"),
        (b'{"name": "x", "listen": "\\ud800:0", "upstream": "h:1"}', "body: holds half a character"),
        (b'{"name": "x", "listen": "127.0.0.1:0", "upstream": "\\u0000:1"}', "upstream: must be ADDR:PORT"),
        (b"\xff", "body: is no JSON"),
        (b" " * 70_000, "body: has more than 65536 bytes"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused_and_changes_nothing(body: bytes, complaint: str) -> None:
    async with an_api() as api:
        answer = await api.post("/proxies", content=body)
        proxies = await api.get("/proxies")

    assert (400, 200) == (answer.status_code, proxies.status_code)
    assert complaint in answer.json()["error"]
    assert ["pos"] == list(proxies.json())


@pytest.mark.parametrize(
    "document",
    [{"name": [], "listen": "127.0.0.1:0", "upstream": "h:1"}, {"name": "x"}, 5, {"name": "pos", "listen": "nowhere"}],
)
async def test_a_list_of_proxies_with_a_wrong_one_replaces_none(document: object) -> None:
    async with an_api() as api:
        before = (await api.get("/proxies")).json()
        right = {"name": "pos", "listen": "127.0.0.1:0", "upstream": "host:9"}
        answer = await api.post("/populate", json=[right, document])

        assert 400 == answer.status_code
        assert before == (await api.get("/proxies")).json()


async def test_a_change_that_cannot_be_made_leaves_the_proxy_as_it_was() -> None:
    async with an_echo() as elsewhere, an_api() as api:
        before = (await api.get("/proxies/pos")).json()
        taken = await api.patch("/proxies/pos", json={"listen": f"127.0.0.1:{elsewhere[1]}", "upstream": "host:9"})
        wrong = await api.patch("/proxies/pos", json={"upstream": "host:9", "enabled": "yes"})

        assert (500, 400) == (taken.status_code, wrong.status_code)
        assert before == (await api.get("/proxies/pos")).json()
        host, _, port = before["listen"].rpartition(":")
        _, writer = await within(asyncio.open_connection(host, int(port)))
        writer.close()


async def test_a_second_toxic_of_the_same_name_is_a_conflict() -> None:
    async with an_api() as api:
        answers = [await api.post("/proxies/pos/toxics", json={"type": "timeout"}) for _ in range(2)]

    assert [200, 409] == [answer.status_code for answer in answers]


async def test_a_web_page_may_not_ask() -> None:
    async with an_api() as api:
        answer = await api.post("/reset", headers={"Origin": "http://evil.example"})

    assert 403 == answer.status_code


async def test_the_api_answers_on_its_own_socket() -> None:
    async with an_echo() as upstream:
        running = RunningProxy(ProxyOptions(("127.0.0.1", 0), upstream, http=("127.0.0.1", 0)), print)
        ready = await running.start()
        try:
            async with httpx.AsyncClient() as client:
                proxies = (await client.get(f"{ready['http']}/proxies")).json()
        finally:
            await running.stop()

    assert f"127.0.0.1:{ready['port']}" == proxies["pos"]["listen"]


# -- files


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "toxics:\n  - type: latency\n    attributes:\n      latency: x\n",
            "t.yaml:4: toxics[1].attributes.latency: must",
        ),
        (
            "toxics:\n  - {type: timeout}\n  - {type: timeout}\n",
            "t.yaml:3: toxics[2].name: timeout_downstream is there",
        ),
        ("colour: red\ntoxics: []\n", "t.yaml:1: colour: is not known"),
        ("seed: -1\ntoxics: []\n", "t.yaml:1: seed: must be a whole number"),
        ("- 1\n", "toxics: must be a list of toxics"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(text)

    with pytest.raises(UsageError) as raised:
        read_toxic_file(path)
    assert complaint in str(raised.value)


async def test_an_address_that_is_taken_is_one_line() -> None:
    async with an_echo() as upstream:
        with pytest.raises(UsageError, match=r"--listen 127\.0\.0\.1:\d+: .*address already in use"):
            await RunningProxy(ProxyOptions(upstream, upstream), print).start()


async def test_a_ready_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    options = ProxyOptions(("127.0.0.1", 0), ("127.0.0.1", 1), ready_file=tmp_path / "file" / "r.json")

    with pytest.raises(UsageError, match=r"--ready-file .*r\.json: Not a directory"):
        await RunningProxy(options, print).start()


# -- a day through it


async def test_a_day_through_harm_leaves_books_that_verify_and_a_recording(tmp_path: Path) -> None:
    harm = tmp_path / "harm.yaml"
    harm.write_text(
        """
seed: 3
toxics:
  - {type: limit_data, stream: downstream, toxicity: 0.4, attributes: {bytes: 700}}
  - {type: limit_data, name: cut, stream: upstream, toxicity: 0.3, attributes: {bytes: 500}}
  - {type: slicer, stream: upstream, attributes: {average_size: 20}}
  - {type: duplicate, stream: downstream, attributes: {chance: 0.1}}
"""
    )
    record, books = tmp_path / "day.jsonl", tmp_path / "books.db"
    with capture_logs():
        host = Host(ServeOptions((parse_listen("127.0.0.1:0=hypercom"),), books))
        ready = await host.start()
        upstream = ("127.0.0.1", ready["listeners"][0]["port"])
        async with a_proxy(upstream, toxics=harm, record=record, dialect="hypercom") as running:
            address = Address(*running.address)  # type: ignore[attr-defined]
            language = open_language("hypercom")
            settings = DaySettings(
                address, language, MERCHANT, "156", lose_percent=0.0, timeout_s=0.1, clock=datetime.now
            )
            plan = plan_day(seed=4, terminals=2, transactions=10, disagree=0, forget=0, prefix="H")
            report = (await live_day(plan, settings, None)).to_json()
        await host.stop()

    assert 2 == report["outcomes"]["balanced"] + report["outcomes"]["balanced_after_upload"]
    assert 0 < report["reversed"]["count"]
    assert 0 == run_command(["verify", "--store", f"sqlite:///{books}"])
    frames = read_recording(record)
    assert {"to_host", "to_terminal"} == {frame.direction for frame in frames}
    assert all(step.unreadable == "" for lane in plan_replay(frames, open_language) for step in lane)
    assert all(json.loads(line) for line in record.read_text().splitlines())


async def test_a_frame_that_is_cut_off_by_the_end_of_the_connection_is_in_the_recording(tmp_path: Path) -> None:
    record = tmp_path / "cut.jsonl"
    with capture_logs():
        async with an_echo() as upstream, a_proxy(upstream, record=record, dialect="hypercom") as running:
            reader, writer = await connect(running)
            writer.write(bytes.fromhex("0080 6000030000 0200"))
            writer.write_eof()
            await within(reader.read())
            writer.close()
            await until(lambda: not any(proxy.links for proxy in running.proxies.by_name.values()))

    assert {("to_host", 9), ("to_terminal", 9)} == {(frame.direction, frame.size) for frame in read_recording(record)}
    assert {"no frame: the connection ended within it"} == {frame.unreadable for frame in read_recording(record)}
