"""The rules that scenarios give a host, checked when their file is loaded.

A terminal knows no rule. Who does says so by an entry point; the host that is installed beside this terminal has one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points

from pos_specs.yaml_lines import Document, Place

ENTRY_POINTS = "pos_terminal.rules_check"
"""The group; its entry points are checks."""

RulesCheck = Callable[[Document, object, Place], object]
"""Raises DocumentError for a mistake in the rules, which stand at that place of the document."""


def by_the_installed_host(document: Document, rules: object, place: Place) -> None:
    """What the installed host says of the rules; without one they are left to the host that gets them."""
    for check in _installed():
        check(document, rules, place)


def not_checked(document: Document, rules: object, place: Place) -> None:
    """Leave the rules to the host that gets them."""


@cache
def _installed() -> list[RulesCheck]:
    """Looked for at the first rule only: it loads the host's rules."""
    return [found.load() for found in entry_points(group=ENTRY_POINTS)]
