"""The house itself: what a fresh clone installs, from where, and what it offers."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE_ROOTS = ["specs/pos_specs", "host/pos_host", "terminal/pos_terminal"]


@pytest.mark.parametrize("package", PACKAGE_ROOTS)
def test_every_package_tells_type_checkers_that_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_the_lock_names_the_public_index_and_nothing_else() -> None:
    sources = [package["source"] for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]]

    assert {"https://pypi.org/simple"} == {source["registry"] for source in sources if "registry" in source}
    assert [{"editable": "."}] == [source for source in sources if "registry" not in source]


def test_every_locked_file_comes_from_the_public_index_with_its_hash() -> None:
    for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]:
        for file in [*package.get("wheels", []), *filter(None, [package.get("sdist")])]:
            assert file["url"].startswith("https://files.pythonhosted.org/")
            assert file["hash"].startswith("sha256:")


def test_both_commands_are_installed() -> None:
    commands = {point.name: point.value for point in metadata.entry_points(group="console_scripts")}

    assert "pos_host.cli:main" == commands["pos-host"]
    assert "pos_terminal.cli:main" == commands["pos-terminal"]


@pytest.mark.parametrize(
    "target", ["run", "test", "demo", "lint", "types", "bench", "simulate", "golden", "docs", "help"]
)
def test_make_help_describes_every_promised_target(target: str) -> None:
    assert re.search(rf"^{target}:.*## \S", (ROOT / "Makefile").read_text(), re.MULTILINE)
