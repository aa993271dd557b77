"""Toxics as documents: in a file or through the API, checked against `toxic_kinds.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from pos_host.options import UsageError
from pos_host.proxy.toxics import KINDS
from pos_specs.yaml_lines import DocumentError, read_document

STREAMS = ("downstream", "upstream")
"""To the terminal and to the host, as Toxiproxy names them: the terminal is the client."""

MOST_TOXICS = 64
"""Toxics of one proxy: each is asked about every piece."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class ToxicError(ValueError):
    """A toxic's document is wrong; `key` says where, the text what."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key}: {reason}")
        self.key = key
        self.reason = reason


class ToxicSpec(NamedTuple):
    """One toxic of a proxy: `toxicity` is the share of connections that it does harm to."""

    name: str
    kind: str
    stream: str
    toxicity: float
    attributes: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """The document, in Toxiproxy's shape."""
        return {
            "name": self.name,
            "type": self.kind,
            "stream": self.stream,
            "toxicity": self.toxicity,
            "attributes": dict(self.attributes),
        }


class ToxicFile(NamedTuple):
    """The toxics of a file, and what chance is drawn from."""

    toxics: list[ToxicSpec]
    seed: int


def read_toxic(document: object, before: ToxicSpec | None = None) -> ToxicSpec:
    """The toxic of a document; what it leaves out is as `before`, or the default. Raises ToxicError."""
    if not isinstance(document, dict):
        raise ToxicError("toxic", "must be an object")
    unknown = document.keys() - {"name", "type", "stream", "toxicity", "attributes"}
    if unknown:
        raise ToxicError(str(min(unknown, key=str)), "is not known; there are name, type, stream, toxicity, attributes")
    kind = document.get("type") or (before.kind if before else None)
    if not isinstance(kind, str) or kind not in KINDS or (before is not None and kind != before.kind):
        allowed = before.kind if before else f"one of {', '.join(KINDS)}"
        raise ToxicError("type", f"must be {allowed}")
    stream = document.get("stream") or (before.stream if before else STREAMS[0])
    if stream not in STREAMS or (before is not None and stream != before.stream):
        raise ToxicError("stream", f"must be {before.stream if before else ' or '.join(STREAMS)}")
    name = document.get("name") or (before.name if before else f"{kind}_{stream}")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ToxicError("name", "must be up to 64 letters, digits, dots, hyphens and underscores")
    toxicity = _number("toxicity", document.get("toxicity", before.toxicity if before else 1.0), 0, 1)
    return ToxicSpec(name, kind, stream, toxicity, _attributes(kind, document.get("attributes") or {}, before))


def read_toxic_file(path: Path) -> ToxicFile:
    """The toxics of a YAML or TOML file: `toxics`, a list, and `seed`; raises UsageError with file and line."""
    try:
        document = read_document(path)
        table = document.value
        if not isinstance(table, dict) or not isinstance(table.get("toxics"), list):
            raise document.error(("toxics",), "must be a list of toxics")
        for key in table.keys() - {"toxics", "seed"}:
            raise document.error((key,), "is not known; there are toxics and seed")
        seed = table.get("seed", 0)
        if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
            raise document.error(("seed",), "must be a whole number of at least 0")
        toxics: list[ToxicSpec] = []
        for place, entry in enumerate(table["toxics"]):
            try:
                toxic = read_toxic(entry)
                check_room(toxics, toxic)
            except ToxicError as error:
                raise document.error(("toxics", place, *error.key.split(".")), error.reason) from None
            toxics.append(toxic)
    except DocumentError as error:
        raise UsageError(f"--toxics {error}") from None
    return ToxicFile(toxics, seed)


def check_room(toxics: list[ToxicSpec], toxic: ToxicSpec) -> None:
    """Raise ToxicError where a proxy with `toxics` cannot have this one besides."""
    if any(toxic.name == other.name for other in toxics):
        raise ToxicError("name", f"{toxic.name} is there already")
    if len(toxics) >= MOST_TOXICS:
        raise ToxicError("name", f"a proxy has at most {MOST_TOXICS} toxics")


def _attributes(kind: str, given: object, before: ToxicSpec | None) -> dict[str, float]:
    limits = _kinds()[kind]
    if not isinstance(given, dict):
        raise ToxicError("attributes", "must be an object")
    for key in given.keys() - limits.keys():
        known = ", ".join(limits) or "none"
        raise ToxicError(f"attributes.{key}", f"is not known; a {kind} has {known}")
    values = {}
    for key, limit in limits.items():
        otherwise = before.attributes[key] if before else limit["default"]
        values[key] = _number(f"attributes.{key}", given.get(key, otherwise), limit["least"], limit["most"])
    return values


def _number(key: str, value: object, least: float, most: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise ToxicError(key, f"must be a number from {least:g} to {most:g}")
    return value


@lru_cache(maxsize=1)
def _kinds() -> dict[str, dict[str, dict[str, float]]]:
    text = (resources.files("pos_host.proxy") / "toxic_kinds.toml").read_text("utf-8")
    kinds = tomllib.loads(text)
    if kinds.keys() != KINDS.keys():
        raise ToxicError("toxic_kinds.toml", f"{', '.join(kinds.keys() ^ KINDS.keys())} must be in it and have a class")
    return kinds
