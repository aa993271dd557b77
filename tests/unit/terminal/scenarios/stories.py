"""Scenarios written in tests."""

from __future__ import annotations

from textwrap import indent

from pos_specs.yaml_lines import read_document
from pos_terminal.scenarios.loading import Scenario, load_document

HEAD = "scenario: A story\ndescription: What it shows.\n"


def scenarios(steps: str, more: str = "") -> list[Scenario]:
    """The scenarios of a file `story.yaml` with these steps, and whatever else stands before them."""
    return load_document(read_document(f"{HEAD}{more}steps:\n{indent(steps, '  ')}\n", "story.yaml"))


def scenario(steps: str, more: str = "") -> Scenario:
    """The only one."""
    [only] = scenarios(steps, more)
    return only
