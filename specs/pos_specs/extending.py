"""Puts a dialect file on top of the one it extends: it takes everything and changes what it names.

The rules are in docs/dialect-format.md, "Extending a dialect". What they make is one table like that of a
file without `extends`, and it is checked as such; each value remembers the file it came from.
"""

from __future__ import annotations

from typing import Any

from pos_specs.dialect_file import DialectFile, Place, SourcedTable, find_file, read_file
from pos_specs.toml_lines import Path

OWN_KEYS = ("name", "title", "extends")
"""Keys of `[dialect]` that nobody inherits: two dialects of one name could not be told apart."""

REMOVABLE = ("elements", "answer", "meaning", "values", "outcomes", "codes")
"""Sections in which `false` takes away what the base has; no value of theirs is a truth value."""

TWO_LEVELS = ("elements", "values")
"""Sections of tables that are changed key by key as well."""

SECTIONS = ("dialect", "framing", "wire", "host", "totals", "batch", "security", "identity", "meaning", *REMOVABLE)
"""Sections that are tables."""

LISTS = {"layouts": "element", "functions": "name"}
"""Lists of tables, and the key by which their entries belong together."""

Table = dict[str, Any]
Entry = tuple[Table, dict[Path, Place]]
"""An entry of a list, and where it stands; below the path () where single keys stand if elsewhere."""


def with_bases(file: DialectFile) -> tuple[SourcedTable, tuple[str, ...]]:
    """The table of `file` with everything it inherits, and the names of its bases, the nearest first.

    Raises DialectError naming file, line and key for an unknown base, a circle and a change of nothing.
    """
    return _with_bases(file, ())


def _with_bases(file: DialectFile, extending: tuple[DialectFile, ...]) -> tuple[SourcedTable, tuple[str, ...]]:
    own = SourcedTable(file.table, {(): Place(file, ())})
    head = file.table.get("dialect")
    name = head.get("extends") if isinstance(head, dict) else None
    if name is None:
        return own, ()
    if not isinstance(name, str) or not name:
        raise own.error(("dialect", "extends"), "must be the name of a dialect, or a file's")
    try:
        base_file = read_file(find_file(name, file.folder))
    except LookupError as error:
        raise own.error(("dialect", "extends"), f"{name!r}: {error.args[0]}") from None
    chain = (*extending, file)
    if any(base_file.place == other.place for other in chain):
        circle = " extends ".join(other.name for other in (*chain, base_file))
        raise own.error(("dialect", "extends"), f"goes round in a circle: {circle}")
    base, further = _with_bases(base_file, chain)
    for source in (base, own):
        _check_shape(source)
    return _Extension(base, own).result(), (str(base.table.get("dialect", {}).get("name", "")), *further)


def _check_shape(source: SourcedTable) -> None:
    """Refuses what could not even be put together; all else is found when the whole is read."""
    for section, value in source.table.items():
        if section not in LISTS:
            if section in SECTIONS and not isinstance(value, dict):
                raise source.error((section,), "must be a table")
        elif not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise source.error((section,), "must be a list of tables")


class _Extension:
    """One file on top of a base; `table` and `places` are what comes of it."""

    def __init__(self, base: SourcedTable, own: SourcedTable) -> None:
        self.base, self.own = base, own
        self.table = {key: dict(value) if isinstance(value, dict) else value for key, value in base.table.items()}
        self.places = dict(base.places)
        head = self.table.get("dialect", {})
        self.table["dialect"] = {key: value for key, value in head.items() if key not in OWN_KEYS}

    def result(self) -> SourcedTable:
        """The merged table."""
        self._forget_elements()
        for section, value in self.own.table.items():
            there = self.table.get(section)
            if section in LISTS:
                self._list(section, value)
            elif isinstance(value, dict) and isinstance(there, dict):
                self.places[(section,)] = self.own.place_of((section,))
                self._section(section, there, value)
            else:
                self._put(self.table, (section,), value)
        return SourcedTable(self.table, self.places)

    def _put(self, table: Table, path: Path, value: Any) -> None:
        """Sets the last key of `path` in `table`, which is the one that holds it."""
        for known in [known for known in self.places if known[: len(path)] == path]:
            del self.places[known]
        self.places[path] = self.own.place_of(path)
        table[str(path[-1])] = value

    def _section(self, section: str, there: Table, changes: Table) -> None:
        for key, value in changes.items():
            path = (section, key)
            if value is False and section in REMOVABLE:
                if there.pop(key, None) is None:
                    raise self.own.error(path, "takes away what the base does not have")
            elif section in TWO_LEVELS and isinstance(value, dict) and isinstance(there.get(key), dict):
                there[key] = self._merged(path, there[key], value)
            else:
                self._put(there, path, value)

    def _merged(self, path: Path, there: Table, changes: Table) -> Table:
        """A table changed key by key; own keys come first, since of patterns the first that fits decides."""
        merged: Table = {}
        for key, value in changes.items():
            self._put(merged, (*path, key), value)
        return {**merged, **{key: value for key, value in there.items() if key not in merged}}

    def _list(self, section: str, value: list[Table]) -> None:
        """Own entries take the place of the base's of the same kind; those of a new kind come first."""
        kept = self._base_entries(section)
        new: list[Entry] = []
        for kind, entries in self._own_kinds(section, value).items():
            of_kind = [at for at, (item, _) in enumerate(kept) if item.get(LISTS[section]) == kind]
            if not of_kind:
                new += [self._checked_new(entry) for entry in entries]
                continue
            changed = self._changed([kept[at] for at in of_kind], entries, section)
            kept = [entry for at, entry in enumerate(kept) if at not in of_kind[1:]]
            kept[of_kind[0] : of_kind[0] + 1] = changed
        self._set_list(section, [*new, *kept])

    def _own_kinds(self, section: str, items: list[Table]) -> dict[Any, list[Entry]]:
        kinds: dict[Any, list[Entry]] = {}
        for number, item in enumerate(items, 1):
            place = self.own.place_of((section, number))
            kinds.setdefault(_hashable(item.get(LISTS[section])), []).append((item, {(): place}))
        return kinds

    def _base_entries(self, section: str) -> list[Entry]:
        entries: list[Entry] = []
        for number, item in enumerate(self.table.get(section, []), 1):
            path: Path = (section, number)
            below = {known[2:]: place for known, place in self.places.items() if known[:2] == path}
            entries.append((item, {(): self.base.place_of(path), **below}))
        return entries

    def _checked_new(self, entry: Entry) -> Entry:
        item, places = entry
        if item.get("remove") is True:
            raise self.own.error((*places[()].path, "remove"), "takes away what the base does not have")
        return entry

    def _changed(self, base: list[Entry], own: list[Entry], section: str) -> list[Entry]:
        """What becomes of the entries of one kind: gone, replaced, or changed in single keys."""
        if any(item.get("remove") is True for item, _ in own):
            return []
        if section == "layouts" or any("mti" in item for item, _ in own):
            return own
        for item, places in own:
            base = [_with_keys(entry, item, places[()]) for entry in base]
        return base

    def _set_list(self, section: str, entries: list[Entry]) -> None:
        self.places = {path: place for path, place in self.places.items() if path[:1] != (section,)}
        self.table[section] = [item for item, _ in entries]
        for number, (_, places) in enumerate(entries, 1):
            self.places |= {(section, number, *below): place for below, place in places.items()}

    def _forget_elements(self) -> None:
        """An element that is taken away leaves the base's layouts, lists and answers too; in the file that takes
        it away it must not be named, and the reader sees to that."""
        gone = {key for key, value in self.own.table.get("elements", {}).items() if value is False}
        if not gone:
            return
        numbers = {int(key) for key in gone if key.isdecimal()}
        kept = [entry for entry in self._base_entries("layouts") if _hashable(entry[0].get("element")) not in numbers]
        self._set_list("layouts", kept)
        self.table["functions"] = [_without(item, numbers) for item in self.table.get("functions", [])]
        self.table["identity"] = _without(self.table.get("identity", {}), numbers)
        for section in ("answer", "values"):
            self.table[section] = {
                k: v for k, v in self.table.get(section, {}).items() if k.partition(".")[0] not in gone
            }
        meaning = self.table.get("meaning", {})
        self.table["meaning"] = {k: v for k, v in meaning.items() if str(v).partition(".")[0] not in gone}


def _with_keys(entry: Entry, changes: Table, place: Place) -> Entry:
    item, places = entry
    own: dict[Path, Place] = {(key,): Place(place.file, (*place.path, key)) for key in changes}
    return {**item, **changes}, {**places, **own}


def _without(table: Table, numbers: set[int]) -> Table:
    """A function or identity without some elements in its lists; a group of `one_of` may become empty and goes."""
    made = dict(table)
    for key in ("required", "echo", "add", "elements"):
        if isinstance(table.get(key), list):
            made[key] = [number for number in table[key] if _hashable(number) not in numbers]
    if isinstance(table.get("one_of"), list):
        groups = [
            [n for n in group if _hashable(n) not in numbers] for group in table["one_of"] if isinstance(group, list)
        ]
        made["one_of"] = [group for group in groups if group]
    if isinstance(table.get("answer"), dict):
        made["answer"] = {key: name for key, name in table["answer"].items() if key not in map(str, numbers)}
    return made


def _hashable(key: Any) -> Any:
    """A key that names no kind is a mistake, which the reader of the entries will find."""
    return key if isinstance(key, str | int) else None
