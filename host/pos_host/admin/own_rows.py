"""What a merchant's token may see: its own rows, and nothing else. Every refusal is audited."""

from __future__ import annotations

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from pos_host.admin.queries import TheActor, TheOffice
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Forbidden, Subject, Written
from pos_host.office import Office

SEEN = ("GET", "HEAD")
"""Methods that only look; what others do goes over the desk, which knows whose it is."""


async def only_own_rows(request: Request, actor: TheActor, office: TheOffice) -> None:
    """Let a merchant through where a path is its own, or takes `merchant_id`, which the gate has set to its number.

    Raises Forbidden for everything else, so that a path nobody thought of shows it nothing.
    """
    if actor.role != "merchant":
        return
    route = request.scope["route"]
    reason = _why_not(request, route, actor)
    if reason is not None:
        await refuse_to_show(request, actor, office, reason)


async def refuse_to_show(request: Request, actor: Actor, office: Office, reason: str) -> None:
    """Audit that a merchant asked for what is not its own, and raise Forbidden. The route is named, not the path: that
    may hold anything."""

    def refuse(now_ms: int) -> Written:
        raise Forbidden("forbidden", reason)

    subject = Subject(f"{request.method} {request.scope['route'].path}", actor.merchant_id)
    await office.desk.act(actor, "api.read", subject, refuse)


def _why_not(request: Request, route: APIRoute, actor: Actor) -> str | None:
    named = {*request.query_params.getlist("merchant_id"), request.path_params.get("mid", actor.merchant_id)}
    if named != {actor.merchant_id}:
        return f"{actor.name} sees merchant {actor.merchant_id} only"
    if request.method not in SEEN or "mid" in request.path_params or _takes_merchant_id(route):
        return None
    return f"{actor.name} is merchant; this needs the role viewer"


def _takes_merchant_id(route: APIRoute) -> bool:
    """Whether the route's answer is limited to the merchant it is asked for."""
    return _asks(route.dependant)


def _asks(dependant: Dependant) -> bool:
    own = any(field.alias == "merchant_id" for field in dependant.query_params)
    return own or any(_asks(deeper) for deeper in dependant.dependencies)
