"""The parameters that a rule gives its check."""

from __future__ import annotations

import re
from typing import NamedTuple


class Parameters(NamedTuple):
    """What a rule may say beside its check; which of them a check takes, it says itself.

    `pattern` is found in the value of `element`; `most` is a count; `faults`, `codes`, `functions` and `elements`
    say of which faults, response codes, functions and elements the rule speaks.
    """

    faults: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    elements: tuple[int, ...] = ()
    element: int = 0
    pattern: re.Pattern[str] | None = None
    needed: bool = False
    most: int = 0
