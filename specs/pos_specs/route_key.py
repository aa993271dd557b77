"""Writes the function that gives a message's routing key: everything by which its function is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pos_specs.message import Message
from pos_specs.parts import Parts

RouteKey = Callable[[Message], tuple[object, ...]]


def route_key(parts: Parts, keys: set[str]) -> RouteKey:
    """A function from a message to its type, its set of elements and the values under `keys` (`"3"`, `"60.kind"`).

    Generated, since it runs for every message: a slice stands in it as a slice. A value too short for its
    slice gives a shorter text, which no complete value gives.
    """
    names: dict[str, Any] = {}
    values = ["message.mti", "message.shape or frozenset(f)"]
    for key in sorted(keys - {"mti"}):
        number, _, part = key.partition(".")
        place = parts.slice_of(key)
        if not part:
            values.append(f"f.get({number})")
        elif place is not None:
            values.append(f"f.get({number}, '')[{place[0]}:{place[1]}]")
        else:
            names[f"get{len(names)}"] = parts.getter(key)
            values.append(f"get{len(names) - 1}(message)")
    source = f"def key(message):\n    f = message.fields\n    return ({', '.join(values)})\n"
    exec(compile(source, "<route key>", "exec"), names)
    function: RouteKey = names["key"]
    return function
