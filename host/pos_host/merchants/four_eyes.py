"""Four eyes: what somebody applied for is decided by somebody else."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Forbidden


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's: only letters and digits count, in whatever case and width, so that `Li Na`
    who applies on paper is the user `li.na`. Two people whose names differ by no more need a third."""
    return _plain(one) == _plain(other)


def check_other_person(actor: Actor, involved: Iterable[str], what: str) -> None:
    """Raise Forbidden when `actor` is one of the people `involved` already, whatever role the actor has, or asks with a
    token that one of them may know."""
    for name in involved:
        if name and same_person(actor.name, name):
            raise Forbidden("four_eyes", f"{what} needs somebody else: {actor.name} had a part in it already")
        if name and any(same_person(knower, name) for knower in actor.known_to):
            text = f"{what} needs a token that {name} does not know, who had a part in it and gave out {actor.name}'s"
            raise Forbidden("four_eyes", text)


def _plain(name: str) -> str:
    letters = "".join(character for character in unicodedata.normalize("NFKC", name) if character.isalnum())
    return letters.casefold() or name
