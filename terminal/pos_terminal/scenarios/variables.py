"""Variables in scenarios: `${rrn}` in any text stands for what was saved, a row brought, or is known of a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_VARIABLE = re.compile(r"\$\{([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?)\}")


class UnknownVariable(Exception):
    """A variable that has no value; the text names it."""


def filled(value: Any, variables: Mapping[str, Any], *, partly: bool = False) -> Any:
    """`value` with its variables filled in, in texts at any depth; a text that is one variable takes its value's type.

    With `partly` variables without a value stay; else they raise UnknownVariable.
    """
    if isinstance(value, dict):
        return {key: filled(item, variables, partly=partly) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, variables, partly=partly) for item in value]
    if not isinstance(value, str) or "${" not in value:
        return value
    whole = _VARIABLE.fullmatch(value)
    if whole is not None and whole[1] in variables:
        return variables[whole[1]]

    def put(found: re.Match[str]) -> str:
        if found[1] in variables:
            return str(variables[found[1]])
        if partly:
            return found[0]
        raise UnknownVariable(f"variable {found[1]} has no value")

    return _VARIABLE.sub(put, value)


def names_in(value: Any) -> set[str]:
    """The variables that stand in a value, at any depth."""
    if isinstance(value, dict):
        return {name for item in value.values() for name in names_in(item)}
    if isinstance(value, list):
        return {name for item in value for name in names_in(item)}
    return set(_VARIABLE.findall(value)) if isinstance(value, str) else set()
