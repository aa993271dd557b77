"""Who asks: the bearer token says it, and what loopback may see without one."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pos_host.admin.problems import problem
from pos_host.merchants.actors import Actor

API_PREFIX = "/api/"

HEALTH_PATHS = frozenset({"/healthz", "/readyz"})
"""Open to loopback, where whoever asks could look at the process anyway."""

_CHALLENGE = 'Bearer realm="pos-host"'


ActorOf = Callable[[str], Actor | None]
"""Whose a token is; None for nobody's."""


class Gate:
    """Stands before the app, so that nobody without a token learns which paths exist or has a body read.

    Who asks stands in the scope as `actor` afterwards.
    """

    def __init__(self, app: ASGIApp, actor_of: ActorOf) -> None:
        self._app = app
        self._actor_of = actor_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            detail, challenge = refusal
            await problem(401, detail, headers={"WWW-Authenticate": challenge})(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[str, str] | None:
        """What to tell a request that may not pass, and the challenge to it; None for one that may."""
        if not _needs_token(scope):
            return None
        scheme, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return "a bearer token is needed: Authorization: Bearer …", _CHALLENGE
        actor = self._actor_of(given.strip())
        if actor is None:
            return "the bearer token is not this host's, or has ended", f'{_CHALLENGE}, error="invalid_token"'
        scope["actor"] = actor
        if actor.role == "merchant":
            _ask_for_its_own(scope, actor.merchant_id)
        return None


def _ask_for_its_own(scope: Scope, merchant_id: str) -> None:
    """A merchant that names none asks for its own rows; one that names another is refused by own_rows.py."""
    query = scope["query_string"].decode("latin-1")
    if "merchant_id" not in parse_qs(query, keep_blank_values=True):
        own = urlencode({"merchant_id": merchant_id})
        scope["query_string"] = (f"{query}&{own}" if query else own).encode("latin-1")


def _needs_token(scope: Scope) -> bool:
    path: str = scope["path"]
    if path in HEALTH_PATHS:
        return not _from_loopback(scope)
    return path.startswith(API_PREFIX)


def _from_loopback(scope: Scope) -> bool:
    client = scope.get("client")
    if client is None:
        return False
    try:
        address = ip_address(client[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
