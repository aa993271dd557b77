"""What a built package holds; built for real by `uv build`, which needs a network, and so not here."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from pos_host.rules.rule import shipped_rule_files
from pos_terminal.scenarios.shipped_scenarios import SHIPPED

ROOT = Path(__file__).parents[2]


def build() -> dict[str, Any]:
    loaded = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    table: dict[str, Any] = loaded["tool"]["hatch"]["build"]
    return table


def leads_into_a_package(link: Path) -> bool:
    packages = [ROOT / package for package in build()["targets"]["wheel"]["packages"]]
    return any(link.resolve().is_relative_to(package) for package in packages)


@pytest.mark.parametrize("name", ["rules", "scenarios"])
def test_a_link_at_the_top_leads_into_a_package_and_is_itself_in_no_build(name: str) -> None:
    link = ROOT / name

    assert link.is_symlink()
    assert leads_into_a_package(link)
    assert f"/{name}" in build()["exclude"]
    assert build()["skip-excluded-dirs"] is True


def test_no_link_into_a_package_is_forgotten() -> None:
    links = [path for path in ROOT.iterdir() if path.is_symlink() and leads_into_a_package(path)]

    assert {"rules", "scenarios"} == {link.name for link in links}


def test_the_links_hold_what_goes_by_name() -> None:
    assert (ROOT / "scenarios").resolve() == SHIPPED
    assert shipped_rule_files() == sorted(file.stem for file in (ROOT / "rules").glob("*.yaml"))
