"""Names of EMV data objects, and which of them may be shown."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources


def tag_name(tag: str) -> str | None:
    """The name of a tag given as upper-case hex (`9F26` → application cryptogram), None when unknown."""
    entry = _tags().get(tag)
    return None if entry is None else str(entry["name"])


def is_hidden(tag: str) -> bool:
    """True for tags that carry or may carry card, cardholder or PIN data, and for every unknown tag."""
    entry = _tags().get(tag)
    return entry is None or bool(entry.get("hidden", False))


@lru_cache(maxsize=1)
def _tags() -> dict[str, dict[str, object]]:
    source = resources.files("pos_specs") / "data" / "emv_tags.toml"
    return tomllib.loads(source.read_text("utf-8"))
