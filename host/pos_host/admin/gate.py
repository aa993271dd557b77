"""Who may ask: the bearer token of the admin, and what loopback may see without it."""

from __future__ import annotations

import hmac
from ipaddress import IPv6Address, ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pos_host.admin.problems import problem

API_PREFIX = "/api/"

HEALTH_PATHS = frozenset({"/healthz", "/readyz"})
"""Open to loopback, where whoever asks could look at the process anyway."""

_CHALLENGE = 'Bearer realm="pos-host"'


class Gate:
    """Stands before the app, so that nobody without the token learns which paths exist or has a body read."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

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
        if not hmac.compare_digest(given.strip().encode(), self._token):
            return "the bearer token is not this host's", f'{_CHALLENGE}, error="invalid_token"'
        return None


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
