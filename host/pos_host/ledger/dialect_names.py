"""Dialects by the name the books keep: those of the listeners, and the shipped ones."""

from __future__ import annotations

from pos_specs.dialect import Dialect
from pos_specs.language import open_language

_known: dict[str, Dialect] = {}


def remember_dialect(dialect: Dialect) -> None:
    """Make a dialect (of a user's own file) known by its name, before the books are read."""
    _known[dialect.name] = dialect


def dialect_named(name: str) -> Dialect:
    """The dialect of that name; raises DialectError when neither a listener speaks it nor is it shipped."""
    known = _known.get(name)
    return known if known is not None else open_language(name).dialect
