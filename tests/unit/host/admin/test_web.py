"""The HTTP server on real sockets, on the stock loop and on uvloop."""

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable

import httpx
import pytest
import uvloop
from fastapi import FastAPI
from tests.loop_seconds import loop_seconds
from tests.unit.host.admin.small_office import TOKEN, actor_of, open_office

from pos_host.admin.api import make_app
from pos_host.admin.web import Web

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
Scenario = Callable[[Web], Awaitable[None]]


@pytest.fixture(params=LOOPS)
def live(request: pytest.FixtureRequest) -> Callable[[Scenario], None]:
    """Runs a scenario on a loop of its own, and stops its server within a second."""

    async def stopped_afterwards(scenario: Scenario) -> None:
        web = Web()
        try:
            await scenario(web)
        finally:
            async with loop_seconds() as took_s:
                await web.stop()
                assert took_s() < 1

    def run(scenario: Scenario) -> None:
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            runner.run(stopped_afterwards(scenario))

    return run


async def api() -> FastAPI:
    return make_app(await open_office(), actor_of, "0.1.0")


def test_the_api_is_served_on_a_free_port_under_the_url_that_start_gives(live: Callable[[Scenario], None]) -> None:
    async def scenario(web: Web) -> None:
        url = await web.start(await api(), "127.0.0.1", 0)
        async with httpx.AsyncClient(base_url=url) as client:
            health = await client.get("/healthz")
            refused = await client.get("/api/v1/terminals")
            terminals = await client.get("/api/v1/terminals", headers={"Authorization": f"Bearer {TOKEN}"})
        assert url.startswith("http://127.0.0.1:")
        assert (200, 401, 200) == (health.status_code, refused.status_code, terminals.status_code)

    live(scenario)


def test_a_taken_port_is_an_error_that_the_host_can_tell(live: Callable[[Scenario], None]) -> None:
    async def scenario(web: Web) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            application = await api()
            with pytest.raises(OSError, match="in use"):
                await web.start(application, "127.0.0.1", taken.getsockname()[1])

    live(scenario)


def test_a_stopped_server_gives_its_port_back(live: Callable[[Scenario], None]) -> None:
    async def scenario(web: Web) -> None:
        url = await web.start(await api(), "127.0.0.1", 0)
        async with httpx.AsyncClient() as client:
            await client.get(f"{url}/healthz")
            await web.stop()
            with pytest.raises(httpx.ConnectError):
                await client.get(f"{url}/healthz")
        port = int(url.rpartition(":")[2])
        await web.start(await api(), "127.0.0.1", port)

    live(scenario)


def test_requests_that_never_end_do_not_hold_up_the_stop(live: Callable[[Scenario], None]) -> None:
    async def scenario(web: Web) -> None:
        application = await api()

        @application.get("/for-ever")
        async def for_ever() -> None:
            await asyncio.Event().wait()

        port = int((await web.start(application, "127.0.0.1", 0)).rpartition(":")[2])
        writers = []
        for sent in (b"GET /for-ever HTTP/1.1\r\nHost: h\r\n\r\n", b"GET /half HT", _half_a_body(), b""):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            writers.append(writer)
        await asyncio.sleep(0.1)
        async with loop_seconds() as took_s:
            await web.stop()
            assert took_s() < 1
        for writer in writers:
            writer.close()

    live(scenario)


def test_the_hosts_own_signal_handlers_stay(live: Callable[[Scenario], None]) -> None:
    async def scenario(web: Web) -> None:
        before = signal.getsignal(signal.SIGTERM)
        await web.start(await api(), "127.0.0.1", 0)
        assert before is signal.getsignal(signal.SIGTERM)

    live(scenario)


def test_a_proxy_on_this_machine_does_not_make_everybody_loopback(live: Callable[[Scenario], None]) -> None:
    async def scenario(web: Web) -> None:
        url = await web.start(await api(), "127.0.0.1", 0)
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{url}/healthz", headers={"X-Forwarded-For": "203.0.113.9"})
        assert 401 == answer.status_code

    live(scenario)


@pytest.mark.parametrize(("host", "begin"), [("0.0.0.0", "http://127.0.0.1:"), ("localhost", "http://localhost:")])
async def test_the_url_is_one_that_can_be_opened(host: str, begin: str) -> None:
    web = Web()
    try:
        url = await web.start(await api(), host, 0)
        async with httpx.AsyncClient() as client:
            assert 200 == (await client.get(f"{url}/healthz")).status_code
    finally:
        await web.stop()

    assert url.startswith(begin)


async def test_a_host_that_cannot_be_found_is_an_error_that_the_host_can_tell() -> None:
    application = await api()
    with pytest.raises(OSError, match=r"."):
        await Web().start(application, "no-such-host.invalid", 0)


async def test_stopping_what_was_never_started_does_no_harm() -> None:
    await Web().stop()


def test_importing_the_package_alone_brings_no_web_framework() -> None:
    asked = "import pos_host.admin, sys; print({'fastapi', 'uvicorn', 'starlette'} & set(sys.modules))"
    assert "set()" == subprocess.check_output([sys.executable, "-c", asked], text=True).strip()


def _half_a_body() -> bytes:
    head = ["POST /api/v1/clock HTTP/1.1", "Host: h", f"Authorization: Bearer {TOKEN}", "Content-Length: 99"]
    return "\r\n".join([*head, "", "{"]).encode()
