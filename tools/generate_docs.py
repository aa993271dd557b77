"""Writes the generated parts of the documentation: the diagram of every life, from the table that the host obeys;
the operations of the API, from its OpenAPI document; verbs, from their help; rights, from their table.

In docs/merchants a diagram stands between `<!-- life: NAME -->` and `<!-- end -->`; lives.md has all of them.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import typer

import pos_host
from pos_host.admin.api import make_app
from pos_host.certification.suite import load_suite
from pos_host.cli import add_other_verbs, app
from pos_host.merchants.actors import ROLES
from pos_host.merchants.lives import Life
from pos_host.rules.conditions import CONDITIONS
from pos_host.rules.fault_kinds import FaultKind, fault_kinds
from pos_host.rules.replies import REPLIES
from pos_host.rules.rule import shipped_rule_files
from pos_host.rules.templates import PLACES

DOCS = Path(__file__).parents[1] / "docs"
FOLDER = DOCS / "merchants"
ALL_LIVES = FOLDER / "lives.md"
OPERATIONS = DOCS / "http-operations.md"

PACKAGES = ("merchants", "money", "settlement")
"""Of the host: where things have lives."""

OWN_HOSTS = ("serve", "certify")
"""Verbs that write a ready file, where others read one."""

_BLOCK = re.compile(r"(<!-- life: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

_TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

_HEAD = """# The lives of things

Everything of the merchant's side that changes its state does so by a table in the code, and by nothing else. What a
table does not have is refused with a problem document that names what is possible now. These diagrams are made from
the tables (`make docs`).
"""

_OPERATIONS_HEAD = """# Every operation of the HTTP API

Made from the OpenAPI document (`make docs`), which has the fields and examples of each. What they have in common, and
the first of them at length: [http.md](http.md). Who may do what:
[merchants/index.md](merchants/index.md#who-may-do-what).
"""


@lru_cache(1)
def all_lives() -> dict[str, tuple[Life, str]]:
    """Every life of the host by name, and a file that has its table (below `host/`); ValueError for two of one name."""
    found: dict[str, tuple[Life, str]] = {}
    for package in PACKAGES:
        folder = Path(pos_host.__file__).parent / package
        for module in pkgutil.walk_packages([str(folder)], f"pos_host.{package}."):
            name = module.name
            for life in vars(importlib.import_module(name)).values():
                if not isinstance(life, Life):
                    continue
                known, _ = found.setdefault(life.name, (life, f"{name.replace('.', '/')}.py"))
                if known is not life:
                    raise ValueError(f"{name}: there is another life called {life.name}")
    return dict(sorted(found.items()))


def block(life: Life) -> str:
    """The diagram between its markers."""
    return f"<!-- life: {life.name} -->\n```mermaid\n{life.diagram()}\n```\n<!-- end -->"


def lives_page() -> str:
    """The page with every life."""
    parts = [_HEAD]
    for name, (life, file) in all_lives().items():
        parts.append(f"## {name.replace('_', ' ').capitalize()}\n\n`{file}`\n\n{block(life)}\n")
    return "\n".join(parts)


def with_diagrams(text: str) -> str:
    """`text` with what stands between markers made anew; raises KeyError for a life that is not there."""
    lives = all_lives()
    return _BLOCK.sub(lambda found: block(lives[found[2]][0]), text)


def operations_page() -> str:
    """The page with every operation of the API, by what it is about."""
    paths = make_app(None, lambda token: None, "").openapi()["paths"]
    groups: dict[str, list[str]] = {}
    for path, operations in paths.items():
        for method, operation in operations.items():
            sentence = operation["description"].replace("\n", " ")
            groups.setdefault(operation["tags"][0], []).append(f"| `{method.upper()} {path}` | {sentence} |")
    parts = [_OPERATIONS_HEAD]
    for tag in sorted(groups):
        parts.append(f"## {tag.capitalize()}\n\n| operation | |\n|---|---|\n" + "\n".join(groups[tag]) + "\n")
    return "\n".join(parts)


def verbs_table() -> str:
    """The verbs of `pos-host` but those of a store and the codec, each with what its help says first."""
    add_other_verbs()
    rows = []
    for name, verb in typer.main.get_command(app).commands.items():
        parts = {"": verb} if not hasattr(verb, "commands") else verb.commands
        for own, part in parts.items():
            if any(parameter.name == "ready_file" for parameter in part.params) and name not in OWN_HOSTS:
                what = " ".join(argument.metavar or argument.name.upper() for argument in _arguments(part))
                verb_text = " ".join(filter(None, (name, own, what))).replace("|", "\\|")
                rows.append(f"| `{verb_text}` | {part.help.splitlines()[0]} |")
    return "| verb | |\n|---|---|\n" + "\n".join(sorted(rows))


def _arguments(command: Any) -> list[Any]:
    return [parameter for parameter in command.params if parameter.param_type_name == "argument"]


def rights_table() -> str:
    """Every action by the role that it needs at least."""
    rights = tomllib.loads((resources.files("pos_host.merchants") / "rights.toml").read_text("utf-8"))["rights"]
    rows = []
    for role in ROLES:
        actions = sorted(f"`{action}`" for action, needed in rights.items() if needed == role)
        if actions:
            rows.append(f"| `{role}` | {', '.join(actions)} |")
    return "| from | |\n|---|---|\n" + "\n".join(rows)


def pages_table() -> str:
    """The other pages of the merchant's side, by their headings."""
    pages = [path for path in sorted(FOLDER.glob("*.md")) if path.name != "index.md"]
    rows = [
        f"| [{path.name}]({path.name}) | {path.read_text('utf-8').splitlines()[0].lstrip('# ')} |" for path in pages
    ]
    return "| page | |\n|---|---|\n" + "\n".join(rows)


def faults_table() -> str:
    """Every fault kind with its parameters."""
    rows = [f"| `{kind.name}` | {kind.does} | {_parameters(kind)} |" for kind in fault_kinds().values()]
    return "| fault | | parameters |\n|---|---|---|\n" + "\n".join(rows)


def _parameters(kind: FaultKind) -> str:
    told = []
    for name, parameter in kind.parameters.items():
        limits = f"{parameter.digits} digits" if parameter.digits else f"{parameter.low} to {parameter.high}"
        unit = f" {parameter.unit}" if parameter.unit not in ("", "element") else ""
        default = "" if parameter.default is None else f"{parameter.default}{unit}; "
        told.append(f"`{name}` ({default}{limits})")
    return ", ".join(told)


def shipped_rules_table() -> str:
    """The rule files that come with the host, with what their first lines say."""
    folder = resources.files("pos_host.rules") / "shipped"
    rows = []
    for name in shipped_rule_files():
        lines = (folder / f"{name}.yaml").read_text("utf-8").splitlines()
        comment = lines[: next(place for place, line in enumerate(lines) if not line.startswith("#"))]
        text = " ".join(" ".join(line.lstrip("# ") for line in comment).split())
        rows.append(f"| `{name}` | {text} |")
    return "| rule file | |\n|---|---|\n" + "\n".join(rows)


def suite_table(name: str) -> str:
    """The rules of a certification suite, each with its source."""
    rows = [f"| `{rule.id}` | {rule.title} | {rule.source} |" for rule in load_suite(name).rules]
    return "| rule | | source |\n|---|---|---|\n" + "\n".join(rows)


def _two_columns(heading: str, rows: Mapping[str, str]) -> str:
    return f"| {heading} | |\n|---|---|\n" + "\n".join(f"| `{name}` | {text} |" for name, text in rows.items())


def with_tables(text: str) -> str:
    """`text` with the tables between `<!-- table: NAME -->` and `<!-- end -->` made anew."""
    tables = {
        "verbs": verbs_table,
        "rights": rights_table,
        "pages": pages_table,
        "conditions": lambda: _two_columns("condition", CONDITIONS),
        "replies": lambda: _two_columns("reply", REPLIES),
        "places": lambda: _two_columns("place", {f"{{{name}}}": text for name, text in PLACES.items()}),
        "faults": faults_table,
        "shipped_rules": shipped_rules_table,
        "suite_unionpay": lambda: suite_table("unionpay"),
        "suite_hypercom": lambda: suite_table("hypercom"),
    }
    return _TABLE.sub(lambda found: f"{found[1]}{tables[found[2]]()}\n{found[3]}", text)


def generated() -> dict[Path, str]:
    """Every page that has something generated, as it should be."""
    written = [path for path in (*DOCS.glob("*.md"), *FOLDER.glob("*.md")) if path not in (ALL_LIVES, OPERATIONS)]
    pages = {path: with_tables(with_diagrams(path.read_text("utf-8"))) for path in sorted(written)}
    return {**pages, ALL_LIVES: lives_page(), OPERATIONS: operations_page()}


def main() -> int:
    """Write what differs; say what was written."""
    for path, text in generated().items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            print(f"written: {path.relative_to(DOCS.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
