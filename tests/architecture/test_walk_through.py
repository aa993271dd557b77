"""docs/your-own-dialect.md is walked through: its files are written, its commands run, their output compared."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.patience import HANGING_S

PAGE = Path(__file__).parents[2] / "docs" / "your-own-dialect.md"
FILE_NAME = re.compile(r'(?:# |<!-- |\s*"name": ")([a-z]+\.(?:toml|xml|json))')
PORT = "9000"


class Step(NamedTuple):
    """A command of the page, and the lines it says come of it; … stands for anything."""

    command: str
    output: list[str]


def blocks() -> list[tuple[str, str]]:
    """Language and content of every fenced block, in order."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def files() -> dict[str, str]:
    """The files the page shows: their first lines name them."""
    named = {}
    for language, content in blocks():
        if language != "console":
            found = FILE_NAME.search(content)
            assert found is not None, content[:60]
            named[found[1]] = content
    return named


def steps() -> Iterator[Step]:
    """The commands of the page, in order."""
    for language, content in blocks():
        if language == "console":
            for piece in content.split("$ ")[1:]:
                command, *output = piece.splitlines()
                yield Step(command, output)


def test_every_kind_of_block_is_known() -> None:
    assert {"console", "toml", "xml", "json"} == {language for language, _ in blocks()}
    assert {"mybank.toml", "wrong.toml", "fields.xml", "fields.json"} == set(files())
    assert 13 == len(list(steps()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files of the page."""
    for name, content in files().items():
        (tmp_path / name).write_text(content, "utf-8")
    return tmp_path


@pytest.mark.slow
def test_the_page_does_what_it_says(folder: Path) -> None:
    port = str(free_port())
    running: list[subprocess.Popen[bytes]] = []
    try:
        for step in steps():
            command = step.command.replace(f":{PORT}", f":{port}")
            if command.endswith(" &"):
                running.append(started(folder, command.removesuffix(" &")))
                continue
            output = run(folder, command)
            assert fits(step.output, output), f"{command}\nshould give\n{step.output}\nand gave\n{output}"
    finally:
        for process in running:
            process.terminate()
        assert [0] * len(running) == [process.wait(HANGING_S) for process in running]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment() -> dict[str, str]:
    """The commands of this installation first, and a wide terminal."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "200"}


def run(folder: Path, command: str) -> list[str]:
    """What a command line prints, both outputs as one."""
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment(), capture_output=True, text=True, timeout=HANGING_S
    )
    return (done.stdout + done.stderr).splitlines()


def started(folder: Path, command: str) -> subprocess.Popen[bytes]:
    """A command that goes on running, once its ready file is there."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(shlex.split(command), cwd=folder, env=environment(), stderr=log)
    deadline = time.monotonic() + HANGING_S
    while not (folder / "ready.json").exists():
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline, (folder / "log").read_text()
        time.sleep(0.05)
    return process


def fits(expected: list[str], output: list[str]) -> bool:
    """Each expected line comes next; after a line of … alone it may come later. Blank lines count for nothing."""
    rest = [line for line in output if line]
    skipping = False
    for wanted in expected:
        if wanted == "…":
            skipping = True
            continue
        pattern = re.compile(re.escape(wanted).replace("…", ".*"))
        while skipping and rest and not pattern.fullmatch(rest[0]):
            rest.pop(0)
        if not rest or not pattern.fullmatch(rest.pop(0)):
            return False
        skipping = False
    return skipping or not rest
