"""`pos-host dialects`: which dialects there are, what is in one, whether a file is a good one, and files of others."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.table import Table
from rich.text import Text

from pos_host.decoding.imported_dialect import ImportedDialect, ImportFailed, toml_of
from pos_host.decoding.table import show
from pos_specs.dialect import Condition, DataElement, Dialect, FunctionRule
from pos_specs.errors import DialectError, why_unreadable
from pos_specs.language import Language, open_language, shipped_languages
from pos_specs.loader import read_dialect

BAD_INPUT = 2

SHOWN_FUNCTION = "purchase"
"""The function whose generated source is shown: every dialect has it, and the host spends its time there."""

dialects_app = typer.Typer(name="dialects", help="The dialects of ISO 8583 this host speaks.", no_args_is_help=True)


@dialects_app.command("list")
def list_command(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document per line.")] = False,
) -> None:
    """List the shipped dialects."""
    for language in shipped_languages():
        dialect = language.dialect
        if as_json:
            _print_json({"name": dialect.name, "title": dialect.title, "edition": dialect.edition})
        else:
            typer.echo(f"{dialect.name:<16} {dialect.title}")


@dialects_app.command("show")
def show_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A dialect's name or file.")],
    source: Annotated[
        bool, typer.Option("--source", help="The Python source generated for a purchase and its answer.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Show a dialect: elements, functions, response codes."""
    try:
        language = open_language(name)
    except DialectError as error:
        _refuse(str(error))
    if source:
        typer.echo(_source(language))
    elif as_json:
        _print_json(_document(language.dialect))
    else:
        _show(language.dialect)


@dialects_app.command("check")
def check_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A dialect file.")],
) -> None:
    """Check a dialect file as the host does when it starts."""
    try:
        dialect = read_dialect(file)
    except DialectError as error:
        _refuse(str(error))
    _source(Language(dialect))  # what is generated from it must compile too
    counted = f"{len(dialect.elements)} elements, {len(dialect.functions)} functions, {len(dialect.codes)} codes"
    typer.echo(f"{file.name}: {dialect.name}, {counted}: good")


Name = Annotated[str, typer.Option("--name", help="The dialect's name; without it the file's.")]


@dialects_app.command("import-jpos")
def import_jpos_command(
    file: Annotated[Path, typer.Argument(metavar="FILE.xml", help="A field file of jPOS's GenericPackager.")],
    name: Name = "",
) -> None:
    """Print a dialect file made of a jPOS packager; what cannot be carried over goes to standard error."""
    from pos_host.decoding.import_jpos import read_jpos

    _import(file, name, read_jpos)


@dialects_app.command("import-moov")
def import_moov_command(
    file: Annotated[Path, typer.Argument(metavar="FILE.json", help="A specification of moov-io/iso8583.")],
    name: Name = "",
) -> None:
    """Print a dialect file made of a moov specification; what cannot be carried over goes to standard error."""
    from pos_host.decoding.import_moov import read_moov

    _import(file, name, read_moov)


def _import(file: Path, name: str, read: Callable[[bytes], ImportedDialect]) -> None:
    name = name or re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-") or "imported"
    try:
        imported = read(file.read_bytes())
        text = toml_of(imported, name, file.name)
    except OSError as error:
        _refuse(f"{file}: {why_unreadable(error)}")
    except ImportFailed as error:
        _refuse(f"{file.name}: {error}")
    for note in imported.notes:
        typer.echo(f"pos-host dialects: {file.name}: {note}", err=True)
    typer.echo(text, nl=False)


def _source(language: Language) -> str:
    """The generated functions for the least a purchase carries, and for its answer."""
    rules = language.dialect.functions
    rule = next((rule for rule in rules if rule.name == SHOWN_FUNCTION), rules[0])
    request = tuple(sorted({*rule.required, *(group[0] for group in rule.one_of)}))
    texts = []
    for what, elements in (("request", request), ("answer", rule.reply_elements)):
        numbers = ", ".join(str(number) for number in elements)
        texts.append(f"# {rule.name}, {what}: elements {numbers}\n\n{language.codec.source(elements)}")
    return "\n".join(texts)


def _document(dialect: Dialect) -> dict[str, Any]:
    return {
        "name": dialect.name,
        "title": dialect.title,
        "edition": dialect.edition,
        "extends": list(dialect.bases),
        "elements": {
            str(element.number): {
                "name": element.name,
                "zh": element.title_zh,
                "format": element.format,
                "sensitive": element.sensitive,
            }
            for element in dialect.elements.values()
        },
        "functions": [
            {
                "name": rule.name,
                "mti": list(rule.mtis),
                "when": {key: list(patterns) for key, patterns in rule.condition.tests},
                "required": list(rule.required),
                "one_of": [list(group) for group in rule.one_of],
                "answer": list(rule.reply_elements),
            }
            for rule in dialect.functions
        ],
        "codes": {code.code: {"en": code.en, "zh": code.zh} for code in dialect.codes.values()},
    }


def _show(dialect: Dialect) -> None:
    framing = dialect.framing
    show(
        f"{dialect.name}: {dialect.title}" + "".join(f", extends {name}" for name in dialect.bases[:1]),
        f"length {' counting '.join((framing.length, *framing.counts))}, start {framing.start}, TPDU {framing.tpdu}, "
        f"header {framing.header}, trailer {framing.trailer}, frames up to {framing.max_frame_bytes} bytes",
        "",
        _table(
            ("no", "element", "format", "where masked"),
            [_element_cells(element) for element in dialect.elements.values()],
        ),
        "",
        _table(
            ("function", "MTI", "when", "must have", "answer"),
            [_function_cells(rule) for rule in dialect.functions],
        ),
        "",
        _table(("code", "text", ""), [(code.code, code.en, code.zh) for code in dialect.codes.values()]),
    )


def _element_cells(element: DataElement) -> tuple[str, ...]:
    return str(element.number), f"{element.title} {element.title_zh}".strip(), element.format, element.sensitive


def _function_cells(rule: FunctionRule) -> tuple[str, ...]:
    needed = [str(number) for number in rule.required]
    needed += ["|".join(str(number) for number in group) for group in rule.one_of]
    answer = " ".join(str(number) for number in rule.reply_elements)
    return rule.name, " ".join(rule.mtis), _condition(rule.condition), " ".join(needed), answer


def _condition(condition: Condition) -> str:
    return ", ".join(f"{key} = {'|'.join(patterns)}" for key, patterns in condition.tests)


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*[Text(cell) for cell in row])
    return table


def _print_json(document: object) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False))


def _refuse(reason: str) -> NoReturn:
    typer.echo(f"pos-host dialects: {reason}", err=True)
    raise typer.Exit(BAD_INPUT)
