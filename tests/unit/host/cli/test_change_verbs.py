"""The verbs of account changes, holder changes and papers, against a running host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.host.cli.test_serve import Host, sale
from tests.unit.host.merchants.settlement_people import (
    ACCOUNT_PAPERS,
    HOLDER,
    HOLDER_PAPERS,
    IDENTITY,
    MERCHANT,
    NEW_NUMBER,
    OLD_NUMBER,
)

from pos_host.cli import run_command

ACCOUNT = {"bank": "102", "account_type": "personal", "holder": HOLDER, "holder_identity": IDENTITY}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host whose merchant has a sale in its batch."""
    running = Host(tmp_path_factory.mktemp("host"), "--http", "127.0.0.1:0")
    running.ask(sale(1))
    yield running
    running.end()


class Verbs:
    """Runs verbs against the host and reads what they print."""

    def __init__(self, host: Host, capsys: pytest.CaptureFixture[str]) -> None:
        self._host = host
        self._capsys = capsys

    def run(self, *words: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        self._capsys.readouterr()
        code = run_command([*words, "--ready-file", str(self._host.ready_file)])
        return (code, *self._capsys.readouterr())

    def json(self, *words: str) -> list[dict[str, Any]]:
        code, out, err = self.run(*words, "--json")
        assert 0 == code, err
        return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def verbs(host: Host, capsys: pytest.CaptureFixture[str]) -> Verbs:
    return Verbs(host, capsys)


def written(folder: Path, name: str, document: dict[str, Any]) -> str:
    path = folder / name
    path.write_text(json.dumps(document))
    return str(path)


def handed_in(verbs: Verbs, folder: Path, kinds: tuple[str, ...]) -> list[str]:
    papers = []
    for kind in kinds:
        page = folder / f"{kind}.pdf"
        page.write_text(f"a page: {kind}")
        papers += verbs.json("documents", "hand-in", MERCHANT, str(page), "--kind", kind)
    return [paper["document_id"] for paper in papers]


def test_an_account_changes_by_verbs_as_far_as_four_eyes_allow(verbs: Verbs, tmp_path: Path) -> None:
    first = written(tmp_path, "account.json", {**ACCOUNT, "number": OLD_NUMBER})
    assert 0 == verbs.run("accounts", "record", MERCHANT, first)[0]
    code, out, _ = verbs.run("accounts", "list", MERCHANT)
    assert (0, True, False) == (code, "*" + OLD_NUMBER[-4:] in out, OLD_NUMBER in out)

    code, out, _ = verbs.run("account-changes", "blockers", MERCHANT)
    assert (1, True) == (code, "batch_unsettled" in out)
    papers = handed_in(verbs, tmp_path, ACCOUNT_PAPERS)
    asked = written(tmp_path, "change.json", {"account": {**ACCOUNT, "number": NEW_NUMBER}, "documents": papers})
    code, _, err = verbs.run("account-changes", "apply", MERCHANT, asked)
    assert (1, 1) == (code, len(err.splitlines()))
    assert "batch_unsettled (terminal T0000001, batch 000001): settle the batch at the terminal" in err
    verbs.run("accounts", "report-loss", MERCHANT, "--why", "the card was stolen")
    assert 0 == verbs.run("account-changes", "check", MERCHANT, asked)[0]
    (change,) = verbs.json("account-changes", "apply", MERCHANT, asked)
    assert "submitted" == change["state"]

    code, _, err = verbs.run("account-changes", "approve", MERCHANT, "1")
    assert (1, True) == (code, "somebody else" in err)
    (withdrawn,) = verbs.json("account-changes", "withdraw", MERCHANT, "1", "--why", "never mind")
    assert "withdrawn" == withdrawn["state"]
    assert ["withdrawn"] == [change["state"] for change in verbs.json("account-changes", "list", MERCHANT)]
    code, _, err = verbs.run("account-changes", "activate", MERCHANT, "1")
    assert (1, True) == (code, "possible is nothing" in err)


def test_a_holder_change_by_verbs(verbs: Verbs, tmp_path: Path) -> None:
    first = written(tmp_path, "holder.json", {"name": HOLDER, "identity": IDENTITY})
    assert 0 == verbs.run("holder-changes", "record", MERCHANT, first)[0]
    papers = handed_in(verbs, tmp_path, HOLDER_PAPERS)
    given = {"name": "Li Si", "identity": IDENTITY}
    change = {"holder": given, "reason": "left", "effective_on": "2026-03-10", "documents": papers}
    asked = written(tmp_path, "change.json", change)
    (applied,) = verbs.json("holder-changes", "apply", MERCHANT, asked)

    assert "submitted" == applied["state"]
    code, _, err = verbs.run("holder-changes", "reject", MERCHANT, "1", "--reason", "no")
    assert (1, True) == (code, "somebody else" in err)
    assert [HOLDER, "Li Si"] == [holder["name"] for holder in verbs.json("holder-changes", "holders", MERCHANT)]


def test_a_paper_comes_back_as_it_was_handed_in(verbs: Verbs, tmp_path: Path) -> None:
    page = tmp_path / "contract.pdf"
    page.write_bytes(b"%PDF a contract\x00\xff")
    (kept,) = verbs.json("documents", "hand-in", MERCHANT, str(page), "--kind", "contract")
    assert kept["document_id"] in [paper["document_id"] for paper in verbs.json("documents", "list", MERCHANT)]
    into = tmp_path / "copy.pdf"
    assert 0 == verbs.run("documents", "fetch", MERCHANT, kept["document_id"], str(into))[0]
    assert page.read_bytes() == into.read_bytes()

    code, _, err = verbs.run("documents", "fetch", MERCHANT, kept["document_id"], str(into))
    assert (2, True) == (code, "is there already" in err)


@pytest.mark.parametrize("text", ['{"account": 6217000012345678906', "[6217000012345678906]", "6217000012345678906"])
def test_a_file_that_is_no_application_is_one_line_without_what_it_holds(
    verbs: Verbs, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "change.json"
    file.write_text(text)
    code, _, err = verbs.run("account-changes", "apply", MERCHANT, str(file))

    assert (2, 1) == (code, len(err.splitlines()))
    assert "6217000012345678906" not in err
