"""Who may ask the API."""

import pytest
from tests.unit.host.admin.small_office import TOKEN, actor_of, client_of, open_office

from pos_host.admin.api import make_app

ELSEWHERE = "203.0.113.9"


@pytest.mark.parametrize("path", ["/api/v1/terminals", "/api/v1/clock", "/api/v1/nothing-here", "/api/"])
@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer \xe9"],
)
async def test_without_the_token_nobody_learns_anything(path: str, authorization: str | None) -> None:
    async with client_of(make_app(await open_office(), actor_of, "0.1.0"), token=None) as api:
        headers = [] if authorization is None else [(b"Authorization", authorization.encode("latin-1"))]
        answer = await api.get(path, headers=headers)

    assert 401 == answer.status_code
    assert answer.headers["WWW-Authenticate"].startswith("Bearer realm=")
    assert "application/problem+json" == answer.headers["Content-Type"]
    assert ("about:blank", "Unauthorized", 401) == tuple(answer.json()[name] for name in ("type", "title", "status"))


async def test_a_body_is_not_read_without_the_token() -> None:
    async with client_of(make_app(await open_office(), actor_of, "0.1.0"), token=None) as api:
        assert 401 == (await api.post("/api/v1/clock", content=b"{")).status_code


async def test_the_scheme_may_be_written_in_any_case() -> None:
    async with client_of(make_app(await open_office(), actor_of, "0.1.0"), token=None) as api:
        answer = await api.get("/api/v1/clock", headers={"Authorization": f"bearer  {TOKEN} "})

    assert 200 == answer.status_code


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
async def test_loopback_may_see_the_health_without_a_token(path: str, peer: str) -> None:
    async with client_of(make_app(await open_office(), actor_of, "0.1.0"), peer=peer, token=None) as api:
        answer = await api.get(path)

    assert 200 == answer.status_code
    assert "0.1.0" == answer.json()["version"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("peer", [ELSEWHERE, "2001:db8::1", "::ffff:203.0.113.9", "", "no address"])
async def test_others_need_the_token_for_the_health_too(path: str, peer: str) -> None:
    app = make_app(await open_office(), actor_of, "0.1.0")
    async with client_of(app, peer=peer, token=None) as stranger, client_of(app, peer=peer) as admin:
        refused, answered = await stranger.get(path), await admin.get(path)

    assert (401, 200) == (refused.status_code, answered.status_code)


async def test_a_host_that_is_not_ready_says_so() -> None:
    ready = [False, True]
    async with client_of(make_app(await open_office(), actor_of, "0.1.0", is_ready=ready.pop)) as api:
        assert 200 == (await api.get("/readyz")).status_code
        answer = await api.get("/readyz")

    assert (503, "the host is starting or stopping") == (answer.status_code, answer.json()["detail"])
