"""What the API answers when it cannot do what was asked: problem documents (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from pos_host.logs import Logger
from pos_host.merchants import desk
from pos_host.merchants.desk import Forbidden, Refused
from pos_host.merchants.lives import NotNow
from pos_host.merchants.long_numbers import without_foreign_numbers
from pos_host.office import Ambiguous, NotPossible, NotThere
from pos_host.settlement.settler import NothingToSettle, UploadRunning

log = Logger("pos_host.admin")

MEDIA_TYPE = "application/problem+json"

_TYPE_PREFIX = "urn:pos-host:problem:"
"""Names a kind of problem that the status alone does not say; it is a name, not an address."""

_DETAILS = {
    404: "there is nothing at this path; /openapi.json lists every path",
    405: "this path does not know that method; the header Allow names those it knows",
    413: "the body is too large; a mebibyte is the most",
}


DETAIL_MOST = 2_000
"""Characters of a detail: every field of ours that can be wrong in a sentence. What was sent may be quoted in it, and
may be as long as a body."""

FIELD_MOST = 200
"""Characters of a field's place: the longest of ours are a third of it."""


class FieldProblem(BaseModel):
    """One thing in a request that is not as it must be."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"field": "query.limit", "message": "must be…"}]})

    field: str = Field(description="`path.…`, `query.…`, `body` or `body.…`")
    message: str


class Problem(BaseModel):
    """Why a request failed."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:pos-host:problem:ambiguous-terminal",
                    "title": "The terminal id is not unique",
                    "status": 409,
                    "detail": "terminal T0000001 exists under merchants 104110070110814, 104110070110815",
                    "merchants": ["104110070110814", "104110070110815"],
                }
            ]
        },
    )

    type: str = Field(description="`about:blank`, or a name of this kind of problem")
    title: str = Field(description="the kind of problem, for people")
    status: int
    detail: str = Field(description="what is wrong with this request")
    merchants: list[str] | None = Field(None, description="409 ambiguous-terminal: pick one with `merchant_id`")
    errors: list[FieldProblem] | None = Field(None, description="422 invalid-request: everything that is wrong")


def problem(
    status: int,
    detail: str,
    *,
    kind: str = "",
    title: str = "",
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """A problem document as a response; without a `kind` the status says what kind it is. What `detail` quotes of the
    request is shown without the numbers that cannot be ids."""
    document = {
        "type": _TYPE_PREFIX + kind if kind else "about:blank",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": without_foreign_numbers(detail)[:DETAIL_MOST],
        **more,
    }
    return JSONResponse(document, status, headers=headers, media_type=MEDIA_TYPE)


def answer_problems(app: FastAPI) -> None:
    """Have `app` answer everything that goes wrong with a problem document."""
    app.add_exception_handler(NotThere, _not_there)
    app.add_exception_handler(Ambiguous, _ambiguous)
    app.add_exception_handler(NotPossible, _not_possible)
    app.add_exception_handler(NothingToSettle, _nothing_to_settle)
    app.add_exception_handler(UploadRunning, _upload_running)
    app.add_exception_handler(desk.NotKept, _not_kept)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(NotNow, _not_now)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _by_status)
    app.add_exception_handler(Exception, _our_mistake)


async def _not_there(request: Request, error: Exception) -> JSONResponse:
    return problem(404, str(error))


async def _ambiguous(request: Request, error: Exception) -> JSONResponse:
    merchants = error.merchants if isinstance(error, Ambiguous) else []
    title = "The terminal id is not unique"
    return problem(409, str(error), kind="ambiguous-terminal", title=title, merchants=merchants)


async def _not_possible(request: Request, error: Exception) -> JSONResponse:
    return problem(409, str(error), kind="not-possible", title="Not possible on this host")


async def _nothing_to_settle(request: Request, error: Exception) -> JSONResponse:
    return problem(409, str(error), kind="nothing-to-settle", title="Nothing to settle")


async def _upload_running(request: Request, error: Exception) -> JSONResponse:
    return problem(409, str(error), kind="upload-running", title="The batch is being uploaded")


async def _not_kept(request: Request, error: Exception) -> JSONResponse:
    return problem(503, str(error), kind="not-stored", title="Not stored, so not done")


async def _refused(request: Request, error: Exception) -> JSONResponse:
    """403 for somebody who may not, 404 for what is not there, 422 for what is wrong in itself, else 409."""
    if not isinstance(error, Refused):
        raise error
    status = 403 if isinstance(error, Forbidden) else error.status
    title = error.kind.replace("_", " ").capitalize()
    return problem(status, str(error), kind=error.kind.replace("_", "-"), title=title, **error.more)


async def _not_now(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, NotNow):
        raise error
    more: dict[str, Any] = {"state": error.state, "action": error.action, "possible": list(error.possible)}
    return problem(409, str(error), kind="not-now", title="Not possible in this state", **more)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Which fields are wrong and why, never what they held: a wrong field may hold a card number."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    if any(item["type"] == "json_invalid" for item in found):
        return problem(400, "the body is not JSON", kind="not-json", title="The body is not JSON")
    errors = [{"field": _field(item), "message": without_foreign_numbers(item["msg"])} for item in found]
    detail = "; ".join(f"{item['field']}: {item['message']}" for item in errors)
    return problem(422, detail, kind="invalid-request", title="The request is not valid", errors=errors)


def _field(item: dict[str, Any]) -> str:
    """Where it is wrong; a key that was made up may be as long as a body."""
    return without_foreign_numbers(".".join(map(str, item["loc"])))[:FIELD_MOST]


async def _by_status(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    detail = _DETAILS.get(error.status_code, error.detail)
    headers = {"Allow": _allowed(request)} if error.status_code == 405 else error.headers
    return problem(error.status_code, detail, headers=headers)


def _allowed(request: Request) -> str:
    """The methods of a path; FastAPI names only those of the first route that has it."""
    asked = [{**request.scope, "method": method} for method in ("DELETE", "GET", "PATCH", "POST", "PUT")]
    known = [a["method"] for a in asked if any(r.matches(a)[0] is Match.FULL for r in request.app.router.routes)]
    return ", ".join(known)


async def _our_mistake(request: Request, error: Exception) -> JSONResponse:
    log.error("http_request_failed", method=request.method, path=request.url.path, exc_info=error)
    return problem(500, "the host made a mistake; its log says more")
