"""The list of what a replayed answer may say otherwise: `replay_allowances.toml`, read and checked once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from pos_specs.errors import DialectError
from pos_specs.language import Language

FILE = "replay_allowances.toml"


@dataclass(frozen=True, slots=True)
class Carried:
    """A value of an answer that later requests repeat; learned from every answer or only from a sign-in's."""

    source: str
    only_sign_in: bool
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Allowances:
    """What may differ, by name, always and where the card is another one; and what is carried over."""

    differs: frozenset[str]
    of_the_card: frozenset[str]
    carried: tuple[Carried, ...]


@lru_cache(maxsize=1)
def shipped_allowances() -> Allowances:
    """The list that comes with the package; raises DialectError naming the key that is wrong."""
    text = (resources.files("pos_terminal") / FILE).read_text("utf-8")
    return read_allowances(tomllib.loads(text))


def read_allowances(table: dict[str, Any]) -> Allowances:
    """The list in a table; raises DialectError."""
    unknown = table.keys() - {"differs", "of_the_card", "carried"}
    if unknown:
        raise DialectError(FILE, min(unknown), "is not known")
    differs, of_the_card = (_names(table.get(key), key) for key in ("differs", "of_the_card"))
    carried = []
    for place, entry in enumerate(table.get("carried", ())):
        key = f"carried[{place}]"
        if not isinstance(entry, dict) or entry.keys() != {"from", "learn", "to"}:
            raise DialectError(FILE, key, "must have from, learn and to")
        if not isinstance(entry["from"], str) or entry["learn"] not in ("any", "sign_in"):
            raise DialectError(FILE, key, "from must be a name, learn any or sign_in")
        carried.append(Carried(entry["from"], entry["learn"] == "sign_in", _names(entry["to"], f"{key}.to")))
    return Allowances(frozenset(differs), frozenset(of_the_card), tuple(carried))


def path_of(language: Language, name: str) -> str | None:
    """Where a dialect has what is called `name`: `"37"`, `"60.batch_number"`; None where it has it nowhere."""
    path = language.dialect.meaning.get(name)
    if path is not None:
        return path
    return next((str(number) for number, element in language.dialect.elements.items() if element.name == name), None)


def _names(value: object, key: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise DialectError(FILE, key, "must be a list of names")
    return tuple(value)
