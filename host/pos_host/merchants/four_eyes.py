"""Four eyes: what somebody applied for is decided by somebody else."""

from __future__ import annotations

from collections.abc import Iterable

from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Forbidden


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's: the case and the spaces in between make no difference, as two users that
    differ by no more are taken for one."""
    return _plain(one) == _plain(other)


def check_other_person(actor: Actor, involved: Iterable[str], what: str) -> None:
    """Raise Forbidden when `actor` is one of the people `involved` already, whatever role the actor has."""
    for name in involved:
        if name and same_person(actor.name, name):
            raise Forbidden("four_eyes", f"{what} needs somebody else: {actor.name} had a part in it already")


def _plain(name: str) -> str:
    return "".join(name.split()).casefold()
