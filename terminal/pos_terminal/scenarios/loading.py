"""Scenario files found, read and checked: loops written out, each step with the line it stands on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from pos_specs.errors import DialectError
from pos_specs.language import open_language
from pos_specs.yaml_lines import Document, DocumentError, Place, read_document
from pos_terminal.scenarios.models import (
    HOST_STEPS,
    MOST_BRANCHES,
    MOST_STEPS,
    Needs,
    ScenarioFile,
    Step,
    TerminalSpec,
)
from pos_terminal.scenarios.rules_check import RulesCheck, not_checked
from pos_terminal.scenarios.shipped_scenarios import shipped_path, shipped_title
from pos_terminal.scenarios.variables import filled, names_in

Model = TypeVar("Model", bound=BaseModel)

SUFFIXES = (".yaml", ".yml", ".toml")
DEFAULT_TERMINAL = "till"
DEFAULT_DIALECT = "unionpay"
SOME_TERMINAL, SOME_MERCHANT = "T0000001", "898000000000001"

OF_A_TERMINAL = frozenset({"terminal_id", "merchant_id", "dialect"})
"""Variables that every step has of its own terminal, and by `name.` of the others."""

_PLAIN_WORDS = {"extra_forbidden": "no such key here", "missing": "is missing", "too_short": "is empty"}
"""What pydantic says at length."""


class LoadedStep(NamedTuple):
    """A step as it stands in the file, rows filled in; `branches` are those of `together`."""

    verb: str
    raw: dict[str, Any]
    place: Place
    line: int | None
    branches: list[list[LoadedStep]]


class Scenario(NamedTuple):
    """One scenario to live: a file, or one row of it. `row` tells rows apart, "" where there is one only."""

    file: str
    title: str
    description: str
    tags: tuple[str, ...]
    needs: Needs
    terminals: dict[str, TerminalSpec]
    steps: list[LoadedStep]
    row: str

    @property
    def name(self) -> str:
        """The title, and the row."""
        return f"{self.title} [{self.row}]" if self.row else self.title

    @property
    def dialects(self) -> tuple[str, ...]:
        """The dialects its terminals speak."""
        return tuple(dict.fromkeys(spec.dialect or DEFAULT_DIALECT for spec in self.terminals.values()))

    @property
    def asks_the_host(self) -> bool:
        """Whether some step goes over the admin API."""
        return any(step.verb in HOST_STEPS for step in all_steps(self.steps))

    @property
    def moves_the_clock(self) -> bool:
        """Whether some step moves the host's clock."""
        return any(step.verb == "advance" for step in all_steps(self.steps))


def all_steps(steps: Iterable[LoadedStep]) -> Iterator[LoadedStep]:
    """Every step, those of branches too."""
    for step in steps:
        yield step
        for branch in step.branches:
            yield from all_steps(branch)


def find_files(paths: Sequence[Path]) -> list[Path]:
    """Scenario files named, and those in the folders named, in order; what is not there may be the name of a shipped
    file or folder. Raises DocumentError for what is neither."""
    found: list[Path] = []
    for given in paths:
        path = given if given.exists() else shipped_path(given.as_posix()) or given
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file())
            if not files:
                raise DocumentError(str(path), None, "no scenario in this folder")
            found += files
        elif path.exists():
            found.append(path)
        else:
            raise DocumentError(str(path), None, "no such file or folder, and no shipped scenario of that name")
    return list(dict.fromkeys(found))


def load_file(path: Path, rules_check: RulesCheck = not_checked) -> list[Scenario]:
    """The scenarios of a file, one for each row; raises DocumentError."""
    return load_document(read_document(path, shipped_title(path)), rules_check)


def load_document(document: Document, rules_check: RulesCheck = not_checked) -> list[Scenario]:
    """The scenarios of a document; raises DocumentError naming file, line and key."""
    given = {} if document.value is None else document.value
    if not isinstance(given, dict):
        raise document.error((), "must be a table with scenario, description and steps")
    # terminals and needs may hold variables of a row where only certain values will do: they are checked with it
    top = _checked(document, (), {key: given[key] for key in given if key not in ("terminals", "needs")}, ScenarioFile)
    rows = top.each or [{}]
    found = [_of_row(document, {**top.variables, **row}, row, len(rows) > 1) for row in rows]
    for scenario in found:
        _check_rules(document, scenario, rules_check)
    return found


def _of_row(document: Document, variables: Mapping[str, Any], row: Mapping[str, Any], labelled: bool) -> Scenario:
    fixed = {key: document.value[key] for key in document.value if key not in ("steps", "each", "variables")}
    top = _checked(document, (), {**filled(fixed, variables, partly=True), "steps": [{}]}, ScenarioFile)
    steps = list(_expanded(document, document.value["steps"], ("steps",), variables))
    if sum(1 for _ in all_steps(steps)) > MOST_STEPS:
        raise document.error(("steps",), f"more than {MOST_STEPS} steps, loops written out")
    terminals = _terminals(document, top)
    _check_names(document, steps, terminals)
    if top.needs.admin == "optional":
        _check_nothing_is_kept_of_the_host(document, steps)
    return Scenario(
        file=document.file,
        title=top.scenario,
        description=top.description,
        tags=tuple(top.tags),
        needs=top.needs,
        terminals=terminals,
        steps=steps,
        row=", ".join(str(value) for value in row.values()) if labelled else "",
    )


def _terminals(document: Document, top: ScenarioFile) -> dict[str, TerminalSpec]:
    spoken = top.needs.dialect or [DEFAULT_DIALECT]
    terminals = top.terminals or {DEFAULT_TERMINAL: TerminalSpec()}
    for name, spec in terminals.items():
        if spec.dialect is None:
            spec.dialect = spoken[0]
        elif top.needs.dialect is not None and spec.dialect not in spoken:
            raise document.error(("terminals", name, "dialect"), f"needs.dialect does not name {spec.dialect}")
        try:
            open_language(spec.dialect)
        except DialectError as error:
            raise document.error(("terminals", name, "dialect"), str(error)) from None
    return terminals


def _expanded(
    document: Document, given: Any, place: Place, variables: Mapping[str, Any], depth: int = 0
) -> Iterator[LoadedStep]:
    """The steps of a list, loops written out; raises DocumentError."""
    if not isinstance(given, list) or not given:
        raise document.error(place, "must be a list of steps")
    for index, written in enumerate(given):
        at = (*place, index)
        step = _checked(document, at, _shallow(written, variables), Step)
        if step.each is not None:
            if depth:
                raise document.error(at, "a loop within a loop: write rows that have both")
            for row in filled(step.each, variables, partly=True):
                yield from _expanded(document, written["do"], (*at, "do"), {**variables, **row}, depth + 1)
            continue
        branches = []
        for branch, branch_steps in enumerate(step.together or ()):
            branches.append(list(_expanded(document, branch_steps, (*at, "together", branch), variables, depth)))
        raw = _without_branches(filled(written, variables, partly=True))
        yield LoadedStep(step.verb, raw, at, document.line_of(at), branches)


def _shallow(written: Any, variables: Mapping[str, Any]) -> Any:
    """A step with its variables, but not those of the steps within it: their loops have more."""
    if not isinstance(written, dict):
        return written
    return {
        key: value if key in ("do", "together") else filled(value, variables, partly=True)
        for key, value in written.items()
    }


def _without_branches(raw: dict[str, Any]) -> dict[str, Any]:
    return {**raw, "together": []} if "together" in raw else raw


def _check_names(document: Document, steps: list[LoadedStep], terminals: Mapping[str, TerminalSpec]) -> None:
    """Raise DocumentError for a terminal or a variable that nobody names."""
    saved = {name for step in all_steps(steps) for name in step.raw.get("save", ())}
    known = saved | OF_A_TERMINAL | {f"{name}.{part}" for name in terminals for part in OF_A_TERMINAL}
    for step in all_steps(steps):
        if len(step.branches) > MOST_BRANCHES:
            raise document.error(step.place, f"more than {MOST_BRANCHES} branches")
        named = step.raw.get("terminal")
        if named is not None and named not in terminals:
            raise document.error((*step.place, "terminal"), f"no terminal {named}, there are {', '.join(terminals)}")
        unknown = sorted(names_in(step.raw) - known)
        if unknown:
            raise document.error(step.place, f"nothing gives variable {unknown[0]} a value")


def _check_nothing_is_kept_of_the_host(document: Document, steps: list[LoadedStep]) -> None:
    """Raise DocumentError for a `save` at a step that is passed over where there is no API."""
    for step in all_steps(steps):
        if step.verb in HOST_STEPS and step.raw.get("save"):
            raise document.error(
                (*step.place, "save"), "is not there without the API, which needs.admin calls optional"
            )


def _check_rules(document: Document, scenario: Scenario, rules_check: RulesCheck) -> None:
    """Raise DocumentError for a mistake in rules; those that hold what is saved on the way are the host's to check."""
    for step in all_steps(scenario.steps):
        if step.verb == "rules":
            rules = filled(step.raw["rules"], _stand_ins(step, scenario.terminals), partly=True)
            if not names_in(rules):
                rules_check(document, rules, (*step.place, "rules"))


def _stand_ins(step: LoadedStep, terminals: Mapping[str, TerminalSpec]) -> dict[str, str]:
    """The variables of terminals; ids are made only when a scenario is lived, and any may stand for them until then."""
    values = {}
    for name, spec in terminals.items():
        values[f"{name}.terminal_id"] = spec.terminal_id or SOME_TERMINAL
        values[f"{name}.merchant_id"] = spec.merchant_id or SOME_MERCHANT
        values[f"{name}.dialect"] = spec.dialect or DEFAULT_DIALECT
    own = step.raw.get("terminal") or next(iter(terminals))
    return {**values, **{part: values[f"{own}.{part}"] for part in OF_A_TERMINAL}}


def _checked(document: Document, place: Place, value: Any, model: type[Model]) -> Model:
    """The model of a value; raises DocumentError at the deepest key of the file that a mistake names.

    Where a value may be of several kinds pydantic tells what is wrong with each: the one that was meant is the one
    that it found more in.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_input=False)
    places = [_place_of(mistake["loc"], value) for mistake in mistakes]
    where, mistake = max(zip(places, mistakes, strict=True), key=lambda found: len(found[0]))
    reason = _PLAIN_WORDS.get(mistake["type"]) or mistake["msg"].removeprefix("Value error, ")
    missing = mistake["loc"][-1:] if mistake["type"] == "missing" else ()
    raise document.error((*place, *where, *missing), reason) from None


def _place_of(loc: Place, value: Any) -> Place:
    """Pydantic's place without the kinds of values that it names too, and that the file does not have."""
    where: list[str | int] = []
    for key in loc:
        inside = _inside(value, key)
        if inside is not _NOTHING:
            value = inside
            where.append(key)
    return tuple(where)


_NOTHING = object()


def _inside(value: Any, key: str | int) -> Any:
    """What stands at `key`, or _NOTHING."""
    if isinstance(value, dict):
        return value.get(key, _NOTHING)
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return value[key]
    return _NOTHING
