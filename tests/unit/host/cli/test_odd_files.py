"""A file that a verb is given may hold anything: one line says which file is wrong, and nothing is asked of a host."""

from __future__ import annotations

from pathlib import Path

import pytest

from pos_host.cli import run_command

DEEP = 100_000
"""Brackets within each other; Python's readers give up after a thousand."""

FILES = {
    "empty": b"",
    "binary": bytes(range(256)),
    "nested": b"[" * DEEP,
    "nested_object": b'{"a":' * DEEP,
    "nested_toml": b"a = " + b"[" * DEEP,
}
VERBS = (
    ("accounts", "record", "M", "{}"),
    ("account-changes", "apply", "M", "{}"),
    ("holder-changes", "record", "M", "{}"),
    ("escalations", "ladder", "acquirer", "--set", "{}"),
    ("applications", "submit", "T", "--vouchers", "{}"),
    ("fees", "set", "{}"),
    ("merchants", "list", "--ready-file", "{}"),
)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: "-".join(verb[:2]))
def test_a_file_that_cannot_be_read_is_told_in_one_line(
    verb: tuple[str, ...], name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name])

    nobody = () if "--ready-file" in verb else ("--admin", "http://127.0.0.1:1", "--token", "none")
    code = run_command([word.format(path) for word in verb] + list(nobody))

    out, err = capsys.readouterr()
    assert (2, "", 1) == (code, out, err.count("\n"))
    assert str(path) in err or (name, verb[:2]) == ("empty", ("fees", "set"))  # an empty table is one


def test_a_path_that_no_file_can_have_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run_command(
        ["documents", "fetch", "M", "1", "x" * 5000, "--admin", "http://127.0.0.1:1", "--token", "t"]
    )

    assert 1 == capsys.readouterr().err.count("\n")
