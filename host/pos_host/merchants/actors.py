"""Who acts, and what each role may do."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from pos_specs.checked_table import CheckedTable
from pos_specs.dialect_file import Place, SourcedTable, read_file

ROLES = ("merchant", "viewer", "operator", "reviewer", "admin", "host")
"""From the least to the most. A merchant sees its own rows only and may act for itself where an action allows it;
`host` is what this host does of its own accord."""


ASKING = ROLES[:-1]
"""Those that a user can have."""


class Actor(NamedTuple):
    """Somebody who asks for something. `merchant_id` is "" but for the role merchant; `known_to` are those who may know
    the token in use: who gave it out, and who may know that one's."""

    name: str
    role: str
    merchant_id: str = ""
    known_to: tuple[str, ...] = ()


ADMIN = Actor("admin", "admin")
"""Who holds the token that the host makes at its first start."""

HOST = Actor("host", "host")
"""This host itself, at a time that fell due."""


def may(actor: Actor, action: str) -> bool:
    """Whether the actor's role is enough for `action`, four eyes apart. A viewer only sees, also what merchants may do
    for themselves."""
    needed = _rights().get(action)
    if needed is None or (actor.role == "viewer" and needed != "viewer"):
        return False
    return ROLES.index(actor.role) >= ROLES.index(needed)


def needed_role(action: str) -> str:
    """The least role for `action`; "" where nobody may."""
    return _rights().get(action, "")


@lru_cache(1)
def _rights() -> dict[str, str]:
    file = read_file(resources.files("pos_host.merchants") / "rights.toml")
    top = CheckedTable(SourcedTable(file.table, {(): Place(file, ())}), (), file.table)
    rights = top.sub("rights")
    top.done("rights.toml, which has rights")
    return {action: rights.choice(action, ROLES) for action in rights.table}
