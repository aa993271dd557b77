"""A dialect as another program's packager tells it, and the TOML that says the same.

A packager knows how elements are written, and nothing of framing, functions or codes: what stands for these
in the TOML is the least that loads, after the edition's standard, with comments that say what to fill in.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from pos_specs.dialect import Dialect
from pos_specs.loader import load_dialect

USUAL_TEXT = "latin-1"


class ImportFailed(Exception):
    """A file that cannot be imported; the text says what is wrong and where."""


class ImportedLayout(NamedTuple):
    """Parts of an element: `kind` and `parts` or `tags` as in a dialect file."""

    kind: str
    parts: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()


class ImportedElement(NamedTuple):
    """One element. `counter`, `digits` and `pad` are "" where the element has none of it.

    `length` counts as in a dialect file: digits, characters, or bytes of `b`.
    """

    number: int
    title: str
    content: str
    length: int
    length_digits: int = 0
    counter: str = ""
    digits: str = ""
    text: str = USUAL_TEXT
    pad: str = ""
    layout: ImportedLayout | None = None

    @property
    def format(self) -> str:
        """The notation of a dialect file, `n..19`."""
        return f"{self.content}{'.' * self.length_digits}{self.length}"


class ImportedDialect(NamedTuple):
    """What a packager's file says; `notes` are one line each for what could not be carried over."""

    title: str
    mti: str
    bitmap: str
    second_bitmap: str
    elements: tuple[ImportedElement, ...]
    notes: tuple[str, ...]


class _Standard(NamedTuple):
    """What an edition of ISO 8583 says where a packager is silent."""

    edition: str
    dialect: Dialect
    network_mti: str
    echo: tuple[int, str]
    purchase_mtis: tuple[str, ...]
    reversal_mtis: tuple[str, ...]


def toml_of(imported: ImportedDialect, name: str, source: str) -> str:
    """The dialect file; raises ImportFailed when there is no element in it."""
    if not imported.elements:
        raise ImportFailed("has no data element that can be carried over")
    standard = _standard_of(imported)
    sections = [
        _head(imported, name, source, standard),
        _wire(imported),
        _elements(imported, standard),
        *_layouts(imported, standard),
        *_functions(imported, standard),
        _host_side(imported, standard),
    ]
    return "\n\n".join(sections) + "\n"


def printable(title: str) -> str:
    """A name from a file as one line without control characters, fit for a comment."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in title).split())


def quoted(text: str) -> str:
    """A TOML string; JSON's escapes are TOML's too."""
    return json.dumps(text, ensure_ascii=False)


def _standard_of(imported: ImportedDialect) -> _Standard:
    """The edition, told by the length of DE12: 6 digits hhmmss, 12 with the date, 14 with the century."""
    lengths = {element.number: element.length for element in imported.elements}
    if lengths.get(12, 6) < 12:
        dialect = load_dialect("iso87-ascii")
        return _Standard("1987", dialect, "0800", (70, "301"), ("0200", "0201"), ("0400", "0401", "0420", "0421"))
    digit, edition = ("1", "1993") if lengths[12] == 12 else ("2", "2003")
    dialect = load_dialect("iso93-ascii")
    purchase, reversal = (f"{digit}200", f"{digit}201"), (f"{digit}420", f"{digit}421")
    return _Standard(edition, dialect, f"{digit}804", (24, "831"), purchase, reversal)


def _head(imported: ImportedDialect, name: str, source: str, standard: _Standard) -> str:
    characters = imported.mti == "ascii"
    return f"""\
# Made of {printable(source)} by pos-host. What a packager does not say is marked "fill in": check it against your
# acquirer's specification. The format is described in docs/dialect-format.md.

[dialect]
name = {quoted(name)}
title = {quoted(printable(imported.title) or name)}
edition = "{standard.edition}"{" " * 10}# guessed by the length of element 12
currency = "156"            # fill in: for a request without DE49

[framing]                   # fill in: a packager says nothing of what stands around a message
length = "{"ascii4" if characters else "binary2"}"
tpdu = "none"
header = "none"
max_frame_bytes = 4096"""


def _wire(imported: ImportedDialect) -> str:
    lines = [
        "[wire]",
        f'mti = "{imported.mti}"',
        f'bitmap = "{imported.bitmap}"',
        f'length = "{_usual(imported, "counter", "ascii")}"',
        f'digits = "{_usual(imported, "digits", "ascii")}"',
        f'text = "{_usual_text(imported)}"',
        f'fixed_pad = "{_usual_pad(imported, variable=False)}"',
        f'variable_pad = "{_usual_pad(imported, variable=True)}"',
    ]
    if imported.second_bitmap != "announced":
        lines.append(f'second_bitmap = "{imported.second_bitmap}"')
    return "\n".join(lines)


def _usual(imported: ImportedDialect, key: str, otherwise: str) -> str:
    """What most elements have, so that the others are told apart by a key of their own."""
    values = Counter(getattr(element, key) for element in imported.elements if getattr(element, key))
    return values.most_common(1)[0][0] if values else otherwise


def _usual_text(imported: ImportedDialect) -> str:
    values = Counter(element.text for element in imported.elements if element.content == "ans")
    return values.most_common(1)[0][0] if values else USUAL_TEXT


def _usual_pad(imported: ImportedDialect, *, variable: bool) -> str:
    pads = Counter(element.pad for element in imported.elements if element.pad and bool(element.counter) == variable)
    return pads.most_common(1)[0][0] if pads else ("right" if variable else "left")


def _elements(imported: ImportedDialect, standard: _Standard) -> str:
    names = _names(imported, standard)
    lines = ["[elements]                  # fill in: sensitive, so that cards and keys are hidden where they travel"]
    for element in imported.elements:
        keys = {"name": names[element.number], "format": element.format, **_overrides(imported, element)}
        sensitive = _sensitivity(element, standard)
        if sensitive:
            keys["sensitive"] = sensitive
        table = ", ".join(f"{key} = {quoted(value)}" for key, value in keys.items())
        lines.append(f"{element.number:<3} = {{ {table} }}".ljust(71) + f" # {printable(element.title)}".rstrip(" #"))
    return "\n".join(line.rstrip() for line in lines)


def _overrides(imported: ImportedDialect, element: ImportedElement) -> dict[str, str]:
    """The keys in which an element differs from `[wire]`."""
    keys = {}
    if element.counter and element.counter != _usual(imported, "counter", "ascii"):
        keys["counter"] = element.counter
    signed = element.content == "xn" and element.digits == "bcd"
    if element.digits and (signed or element.digits != _usual(imported, "digits", "ascii")):
        keys["digits"] = element.digits
    if element.content == "ans" and element.text != _usual_text(imported):
        keys["text"] = element.text
    if element.pad and element.pad != _usual_pad(imported, variable=bool(element.counter)):
        keys["pad"] = element.pad
    return keys


def _names(imported: ImportedDialect, standard: _Standard) -> dict[int, str]:
    """The edition's names, by which the host knows an element's meaning; of 2003 the packager's own."""
    known = {} if standard.edition == "2003" else standard.dialect.elements
    names: dict[int, str] = {}
    for element in imported.elements:
        name = known[element.number].name if element.number in known else snake_case(element.title)
        unique = name and name not in names.values() and not _taken(name, element.number, known)
        names[element.number] = name if unique else f"{name or 'element'}_{element.number}"
    return names


def _taken(name: str, number: int, known: object) -> bool:
    elements = known if isinstance(known, dict) else {}
    return any(other.name == name and other.number != number for other in elements.values())


def snake_case(title: str) -> str:
    """A name for a dialect file: small letters, digits and underscores, "" where nothing of it remains."""
    words = re.findall(r"[a-z0-9]+", title.lower())
    return re.sub(r"^[0-9_]+", "", "_".join(words))


def _sensitivity(element: ImportedElement, standard: _Standard) -> str:
    """The edition's; what nobody knows, long and of variable length, is hidden."""
    known = standard.dialect.elements.get(element.number)
    if known is None or (standard.edition == "2003" and element.length > 99):
        return "secret" if element.length_digits > 2 else ""
    if known.number == ICC_DATA:
        return "icc" if element.content == "b" else "secret"
    return known.sensitive


ICC_DATA = 55


def _layouts(imported: ImportedDialect, standard: _Standard) -> list[str]:
    names = _names(imported, standard)
    texts = []
    for element in imported.elements:
        layout = element.layout
        if layout is None and element.number == ICC_DATA and element.content == "b":
            layout = ImportedLayout("tlv")
        if layout is not None:
            texts.append(_layout(names[element.number], element, layout))
    return texts


def _layout(name: str, element: ImportedElement, layout: ImportedLayout) -> str:
    lines = ["[[layouts]]", f"element = {element.number}", f"name = {quoted(name)}"]
    if layout.kind != "fixed":
        lines.append(f'kind = "{layout.kind}"')
    if element.content == "b" and layout.kind != "tlv":
        lines.append('as = "text"')
    if layout.parts:
        lines.append("parts = [")
        lines += [f"    {quoted(part)}," for part in layout.parts]
        lines.append("]")
    if layout.tags:
        lines.append("[layouts.tags]")
        lines += [f'"{tag}" = {quoted(part)}' for tag, part in layout.tags]
    return "\n".join(lines)


def _functions(imported: ImportedDialect, standard: _Standard) -> list[str]:
    """The three functions a first test needs, as the standard has them."""
    there = {element.number for element in imported.elements}
    element, code = standard.echo
    echo = _function("echo", (standard.network_mti,), {element: code}, (11,), (7, 11, 12, element), (39,), there)
    purchase = _function(
        "purchase", standard.purchase_mtis, {3: "00xxxx"}, (3, 4, 11, 41, 42), KEPT, (37, 38, 39), there
    )
    reversal = _function("reversal", standard.reversal_mtis, {}, (3, 4, 11, 41, 42), KEPT, (37, 39), there)
    return [
        "# fill in: which messages mean which function at your acquirer; these are the standard's",
        echo + "\nanonymous = true",
        purchase,
        reversal + "\nadvice = true",
    ]


KEPT = (3, 4, 7, 11, 12, 13, 32, 41, 42, 49)
"""What an answer repeats of its request, as far as the dialect has it."""

CARD = (2, 35)
"""Where a card stands: a purchase needs one of them."""


def _function(
    name: str,
    mtis: tuple[str, ...],
    when: dict[int, str],
    required: tuple[int, ...],
    echo: tuple[int, ...],
    add: tuple[int, ...],
    there: set[int],
) -> str:
    conditions = ", ".join(f'"{number}" = ["{value}"]' for number, value in when.items() if number in there)
    lines = ["[[functions]]", f'name = "{name}"', f"mti = {_list(mtis)}"]
    if conditions:
        lines.append(f"when = {{ {conditions} }}")
    for key, numbers in (("required", required), ("echo", echo), ("add", add)):
        lines.append(f"{key} = {_list(sorted({number for number in numbers if number in there}))}")
    cards = [number for number in CARD if number in there]
    if name == "purchase" and cards:
        lines.append(f"one_of = [{_list(cards)}]")
    return "\n".join(lines)


def _list(values: Iterable[object]) -> str:
    return json.dumps(list(values))


def _host_side(imported: ImportedDialect, standard: _Standard) -> str:
    there = {element.number for element in imported.elements}
    answers = {37: "rrn", 38: "approval_code", 39: "response_code"}
    lines = ["[answer]", *[f'{number} = "{name}"' for number, name in answers.items() if number in there]]
    lines += ["", "[meaning]", *(['rrn = "37"'] if 37 in there else [])]
    lines += ["", "[host]", 'acquirer_id = "00010000"    # fill in']
    lines += ["", "[totals]", 'kind = "iso87"              # fill in, with the functions of your settlement']
    lines += ["", "[batch]", 'number = "none"', "first = 1", "last = 999999"]
    lines += ["", "[identity]", f"elements = {_list(number for number in (12, 13) if number in there)}"]
    codes = {outcome: _code(imported, code) for outcome, code in standard.dialect.outcomes.items()}
    lines += ["", "[outcomes]                  # fill in: your acquirer's codes; these are the standard's"]
    lines += [f'{outcome} = "{code}"' for outcome, code in codes.items()]
    lines += ["", "[codes]"]
    texts = {_code(imported, code): standard.dialect.codes[code].en for code in standard.dialect.outcomes.values()}
    lines += [f'"{code}" = {{ en = {quoted(text)} }}' for code, text in sorted(texts.items())]
    return "\n".join(lines)


def _code(imported: ImportedDialect, code: str) -> str:
    """A code as long as element 39: of 2003 it has four digits, whose meaning is only that of 1993 with a zero."""
    lengths = [element.length for element in imported.elements if element.number == 39]
    return code.zfill(lengths[0]) if lengths else code
