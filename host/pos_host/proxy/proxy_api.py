"""The proxies' API: Toxiproxy's paths and JSON shapes, so that its clients work; docs/proxy.md lists them.

It asks for no token, as Toxiproxy's does not. A page that somebody's browser has open could reach it on loopback all
the same: requests that say they come from a page are refused.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pos_host.os_errors import why_not_opened
from pos_host.proxy.proxies import Conflict, NotFound, Proxies, add_toxic, find_toxic
from pos_host.proxy.toxic_documents import ToxicError, read_toxic

MOST_BODY_BYTES = 65_536
"""Of a document: the largest, a list of proxies, has some kilobytes."""

Answer = Callable[[Request], Awaitable[Response]]


def make_proxy_app(proxies: Proxies, version: str) -> Starlette:
    """The application over these proxies."""
    api = _Api(proxies, version)
    one, toxics, toxic = "/proxies/{proxy}", "/proxies/{proxy}/toxics", "/proxies/{proxy}/toxics/{toxic}"
    table: list[tuple[str, str, Answer]] = [
        ("/version", "GET", api.tell_version),
        ("/reset", "POST", api.reset),
        ("/populate", "POST", api.populate),
        ("/proxies", "GET", api.list_proxies),
        ("/proxies", "POST", api.add_proxy),
        (one, "GET", api.show_proxy),
        (one, "POST", api.change_proxy),
        (one, "PATCH", api.change_proxy),
        (one, "DELETE", api.remove_proxy),
        (toxics, "GET", api.list_toxics),
        (toxics, "POST", api.add_toxic),
        (toxic, "GET", api.show_toxic),
        (toxic, "POST", api.change_toxic),
        (toxic, "PATCH", api.change_toxic),
        (toxic, "DELETE", api.remove_toxic),
    ]
    methods: dict[str, dict[str, Answer]] = {}
    for path, method, answer in table:
        methods.setdefault(path, {})[method] = answer
    return Starlette(
        routes=[Route(path, _guarded(by_method), methods=list(by_method)) for path, by_method in methods.items()]
    )


def _guarded(by_method: dict[str, Answer]) -> Answer:
    """The answer to a method, what goes wrong told in Toxiproxy's shape."""

    async def answer(request: Request) -> Response:
        if "origin" in request.headers:
            return _problem(403, "requests from web pages are refused")
        method = "GET" if request.method == "HEAD" else request.method
        try:
            return await by_method[method](request)
        except NotFound as error:
            return _problem(404, str(error))
        except Conflict as error:
            return _problem(409, str(error))
        except ToxicError as error:
            return _problem(400, str(error))
        except OSError as error:
            return _problem(500, f"listen: {why_not_opened(error)}")

    return answer


def _problem(status: int, text: str) -> Response:
    return JSONResponse({"error": text, "status": status}, status)


async def _document(request: Request) -> Any:
    """The JSON of the body; raises ToxicError."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BODY_BYTES:
            raise ToxicError("body", f"has more than {MOST_BODY_BYTES} bytes")
    try:
        document = json.loads(body)
        json.dumps(document, ensure_ascii=False).encode()
        return document
    except UnicodeEncodeError:
        raise ToxicError("body", "holds half a character, a surrogate without the other") from None
    except ValueError:
        raise ToxicError("body", "is no JSON") from None
    except RecursionError:
        raise ToxicError("body", "has too many brackets inside each other") from None


class _Api:
    """What each path does."""

    def __init__(self, proxies: Proxies, version: str) -> None:
        self._proxies = proxies
        self._version = version

    async def tell_version(self, request: Request) -> Response:
        return JSONResponse({"version": self._version})

    async def reset(self, request: Request) -> Response:
        await self._proxies.reset()
        return Response(status_code=204)

    async def populate(self, request: Request) -> Response:
        """Make the proxies of a list; one of the same name is replaced."""
        documents = await _document(request)
        if not isinstance(documents, list):
            raise ToxicError("body", "must be a list of proxies")
        made = await self._proxies.replace(documents)
        return JSONResponse({"proxies": [proxy.to_json() for proxy in made]}, 201)

    async def list_proxies(self, request: Request) -> Response:
        return JSONResponse({name: proxy.to_json() for name, proxy in self._proxies.by_name.items()})

    async def add_proxy(self, request: Request) -> Response:
        return JSONResponse((await self._proxies.add(await _document(request))).to_json(), 201)

    async def show_proxy(self, request: Request) -> Response:
        return JSONResponse(self._proxies.find(request.path_params["proxy"]).to_json())

    async def change_proxy(self, request: Request) -> Response:
        proxy = await self._proxies.change(request.path_params["proxy"], await _document(request))
        return JSONResponse(proxy.to_json())

    async def remove_proxy(self, request: Request) -> Response:
        await self._proxies.remove(request.path_params["proxy"])
        return Response(status_code=204)

    async def list_toxics(self, request: Request) -> Response:
        proxy = self._proxies.find(request.path_params["proxy"])
        return JSONResponse([toxic.to_json() for toxic in proxy.toxics])

    async def add_toxic(self, request: Request) -> Response:
        proxy = self._proxies.find(request.path_params["proxy"])
        toxic = read_toxic(await _document(request))
        await add_toxic(proxy, toxic)
        return JSONResponse(toxic.to_json())

    async def show_toxic(self, request: Request) -> Response:
        proxy = self._proxies.find(request.path_params["proxy"])
        return JSONResponse(find_toxic(proxy, request.path_params["toxic"]).to_json())

    async def change_toxic(self, request: Request) -> Response:
        proxy = self._proxies.find(request.path_params["proxy"])
        before = find_toxic(proxy, request.path_params["toxic"])
        document = await _document(request)
        if isinstance(document, dict):
            document = {key: value for key, value in document.items() if key != "name"}
        toxic = read_toxic(document, before)
        await proxy.set_toxics([toxic if other is before else other for other in proxy.toxics])
        return JSONResponse(toxic.to_json())

    async def remove_toxic(self, request: Request) -> Response:
        proxy = self._proxies.find(request.path_params["proxy"])
        gone = find_toxic(proxy, request.path_params["toxic"])
        await proxy.set_toxics([other for other in proxy.toxics if other is not gone])
        return Response(status_code=204)
