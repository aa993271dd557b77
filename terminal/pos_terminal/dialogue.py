"""Commands of which each depends on the answer to the one before."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple

from pos_specs.message import Message
from pos_terminal.commands import Command


class Told(NamedTuple):
    """What a dialogue has brought: lines for people, a document for programs."""

    lines: list[str]
    document: dict[str, Any]


Dialogue = Generator[Command, Message, Told]
"""Gives a command, is sent its answer; returns what came of it all."""
