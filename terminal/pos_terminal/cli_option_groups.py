"""Options that go together as one parameter: a verb names the group, the command line has the options that are in it.

A group is a frozen dataclass whose fields are options as typer reads them, or groups in their turn; what one holds of
keys, PINs or cards keeps it out of reprs (`repr=False`). `pos_terminal.cli_terminal_options` has the largest.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from typing import Any, get_type_hints


def grouped_options(verb: Callable[..., int]) -> Callable[..., int]:
    """The verb as typer is to see it: the options of each group stand where the group stands among the parameters.

    Parameters go by name (`def verb(*, ...)`), so that a group, which has no default, can follow an option that has
    one. Raises ValueError, when the verb is defined, for an option that two groups have; the command raises whatever
    a group says of its values.
    """
    options = list(_options(verb))

    @functools.wraps(verb)
    def command(**given: Any) -> int:
        code: int = _call(verb, given)
        return code

    command.__signature__ = inspect.Signature(options, return_annotation=int)  # type: ignore[attr-defined]
    command.__annotations__ = {option.name: option.annotation for option in options} | {"return": int}
    return command


def _options(taker: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    """What a verb or a group takes, with the types themselves for annotations: typer does not know the module whose
    names they are."""
    types = get_type_hints(taker, include_extras=True)
    for parameter in inspect.signature(taker).parameters.values():
        kind = types[parameter.name]
        if _is_group(kind):
            yield from _options(kind)
        else:
            yield parameter.replace(annotation=kind, kind=inspect.Parameter.KEYWORD_ONLY)


def _call(taker: Callable[..., Any], given: dict[str, Any]) -> Any:
    """What a verb or a group makes of its share of the options, the groups in it made first."""
    types = get_type_hints(taker)
    types.pop("return", None)
    return taker(**{name: _call(kind, given) if _is_group(kind) else given[name] for name, kind in types.items()})


def _is_group(kind: Any) -> bool:
    return is_dataclass(kind)
