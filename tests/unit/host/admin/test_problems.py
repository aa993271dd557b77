"""Whatever goes wrong is answered with a problem document."""

import pytest
import structlog
from tests.unit.host.admin.small_office import actor_of, api_of, client_of, open_office

from pos_host.admin.api import make_app
from pos_host.admin.json_route import BODY_MOST_BYTES
from pos_host.testing.standard_log import standard_log

PAN = "6222021234567890005"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("GET", "/nothing", b"", 404, "about:blank"),
        ("GET", "/api/v1/nothing", b"", 404, "about:blank"),
        ("GET", "/api/v1/terminals/T9", b"", 404, "about:blank"),
        ("GET", "/api/v1/batches/", b"", 404, "about:blank"),
        ("DELETE", "/api/v1/clock", b"", 405, "about:blank"),
        ("POST", "/api/v1/terminals", b"", 405, "about:blank"),
        ("POST", "/healthz", b"", 405, "about:blank"),
        ("GET", "/api/v1/terminals/T0000002", b"", 409, "urn:pos-host:problem:ambiguous-terminal"),
        ("GET", "/api/v1/terminals?limit=no", b"", 422, "urn:pos-host:problem:invalid-request"),
        ("GET", "/api/v1/terminals/", b"", 422, "urn:pos-host:problem:invalid-request"),
        ("POST", "/api/v1/clock", b"", 422, "urn:pos-host:problem:invalid-request"),
        ("POST", "/api/v1/clock", b"{", 400, "urn:pos-host:problem:not-json"),
        ("POST", "/api/v1/clock", b"\xff", 400, "about:blank"),
        ("POST", "/api/v1/clock", b" " * (BODY_MOST_BYTES + 1), 413, "about:blank"),
    ],
)
async def test_each_kind_of_error_is_a_problem_document(
    method: str, path: str, body: bytes, status: int, kind: str
) -> None:
    async with api_of(await open_office()) as api:
        answer = await api.request(method, path, content=body)

    assert (status, "application/problem+json") == (answer.status_code, answer.headers["Content-Type"])
    document = answer.json()
    assert (kind, status) == (document["type"], document["status"])
    assert document["title"]
    assert document["detail"]


@pytest.mark.parametrize(
    ("path", "allowed"), [("/api/v1/clock", "GET, POST"), ("/api/v1/unsettled", "GET"), ("/healthz", "GET")]
)
async def test_a_wrong_method_is_told_the_right_ones(path: str, allowed: str) -> None:
    async with api_of(await open_office()) as api:
        answer = await api.request("PUT", path)

    assert (405, allowed) == (answer.status_code, answer.headers["Allow"])


async def test_a_refused_request_is_never_quoted() -> None:
    async with api_of(await open_office()) as api:
        answers = [
            await api.post("/api/v1/clock", json={"advance": {"pan": PAN}}),
            await api.post("/api/v1/clock", content=PAN + "}"),
            await api.get("/api/v1/terminals", params={"limit": PAN}),
            await api.get(f"/api/v1/nothing/{PAN}"),
        ]

    assert [422, 400, 422, 404] == [answer.status_code for answer in answers]
    assert [] == [answer.text for answer in answers if PAN in answer.text]


async def test_our_own_mistake_is_told_where_all_lines_of_the_host_go(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A test with an acquirer has no structlog set up, which would print every variable on the way, cards too."""
    office = await open_office()
    monkeypatch.delattr(office, "_clock")
    with standard_log():
        async with client_of(make_app(office, actor_of, "0.1.0")) as api:
            await api.get("/api/v1/clock")
    assert ["pos_host.admin"] == [line.name for line in caplog.records]
    assert "http_request_failed method=GET path=/api/v1/clock error=AttributeError" in caplog.text


async def test_our_own_mistake_is_logged_and_tells_nothing_of_the_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    office = await open_office()
    monkeypatch.setattr(office, "terminals", lambda *asked: {"items": [{"secret": PAN}]})
    monkeypatch.delattr(office, "_clock")
    with structlog.testing.capture_logs() as lines:
        async with client_of(make_app(office, actor_of, "0.1.0")) as api:
            answers = [await api.get("/api/v1/terminals"), await api.get("/api/v1/clock")]

    for answer in answers:
        assert (500, "application/problem+json") == (answer.status_code, answer.headers["Content-Type"])
        assert {
            "type": "about:blank",
            "title": "Internal Server Error",
            "status": 500,
            "detail": "the host made a mistake; its log says more",
        } == answer.json()
    assert [("http_request_failed", "/api/v1/terminals"), ("http_request_failed", "/api/v1/clock")] == [
        (line["event"], line["path"]) for line in lines
    ]
