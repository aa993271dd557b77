"""`pos-host fees quote` and `check`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pos_host.cli import run_command

NOTHING_FOR_QR = 'remove = ["qr"]\n'
CHEAP_CREDIT = """
[[rule]]
name = "credit"
products = ["credit"]
currency = "CNY"
rate_percent = "0.10"
minimum_minor = 500
valid_until = 2026-12-31
"""


def quoted(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    """The document that `fees quote --json` prints."""
    assert 0 == run_command(["fees", "quote", *arguments, "--json"])
    (line,) = capsys.readouterr().out.splitlines()
    document: dict[str, object] = json.loads(line)
    return document


def complaint(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> str:
    """The one line on standard error of a command that must end with `code`."""
    assert code == run_command(["fees", *arguments])
    out, err = capsys.readouterr()
    assert "" == out
    assert 1 == len(err.splitlines())
    return err.strip()


def file_of(tmp_path: Path, text: str) -> str:
    path = tmp_path / "fees.toml"
    path.write_text(text, "utf-8")
    return str(path)


def test_a_quote_as_json_has_fee_net_rule_rate_and_whether_the_cap_applied(capsys: pytest.CaptureFixture[str]) -> None:
    document = quoted(capsys, "--product", "debit", "--amount", "10000.00", "--date", "2026-03-02")

    assert {
        "product": "debit",
        "entry": None,
        "amount_minor": 1_000_000,
        "currency": "CNY",
        "date": "2026-03-02",
        "fee_minor": 2_500,
        "net_minor": 997_500,
        "rule": "debit",
        "rate_percent": "0.50",
        "minimum_minor": 0,
        "minimum_applied": False,
        "cap_minor": 2_500,
        "cap_applied": True,
    } == document


@pytest.mark.parametrize(
    ("arguments", "fee_minor"),
    [
        (["--product", "credit", "--amount", "10000.00"], 6_000),
        (["--product", "debit", "--amount", "4000.00"], 2_000),
        (["--product", "qr", "--amount", "10000.00"], 3_800),
        (["--product", "cloud_quickpass", "--amount", "1000.00"], 380),
        (["--product", "cloud_quickpass", "--amount", "1000.01"], 600),
        (["--product", "cloud_quickpass", "--amount", "1000.00", "--entry", "contactless"], 380),
        (["--product", "cloud_quickpass", "--amount", "1000.00", "--entry", "qr"], 600),
        (["--product", "credit", "--amount", "1000", "--currency", "JPY"], 6),
        (["--product", "credit", "--amount", "1.250", "--currency", "414"], 8),
    ],
)
def test_a_quote_is_the_fee_of_the_shipped_schedule(
    arguments: list[str], fee_minor: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fee_minor == quoted(capsys, *arguments)["fee_minor"]


def test_a_quote_for_people_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run_command(["fees", "quote", "--product", "debit", "--amount", "10000.00"])

    assert [
        "amount  10,000.00 CNY",
        "fee         25.00 CNY",
        "net      9,975.00 CNY",
        "rule    debit: 0.50 % at the cap",
    ] == capsys.readouterr().out.splitlines()


def test_an_own_schedule_changes_what_it_names_while_it_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = ["--schedule", file_of(tmp_path, CHEAP_CREDIT), "--product", "credit"]

    assert 1_000 == quoted(capsys, *own, "--amount", "10000.00", "--date", "2026-12-31")["fee_minor"]
    assert 2_500 == quoted(capsys, *own[:2], "--product", "debit", "--amount", "10000.00")["fee_minor"]
    assert 0 == run_command(["fees", "quote", *own, "--amount", "10.00", "--date", "2026-12-31"])
    assert "rule    credit: 0.10 % at the minimum" == capsys.readouterr().out.splitlines()[-1]


def test_without_a_rule_nothing_is_quoted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--product", "qr", "--amount", "1.00", "--date", "2026-03-02"]
    told = complaint(capsys, 1, "quote", "--schedule", file_of(tmp_path, NOTHING_FOR_QR), *arguments)

    assert "pos-host: no rule is for qr by qr, 100 CNY, on 2026-03-02" == told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--product", "gold", "--amount", "1"], "--product gold: must be one of credit, debit, qr, cloud_quickpass"),
        (["--product", "debit", "--amount", "1.234"], "--amount: '1.234' is no amount in CNY, which looks like 12.00"),
        (["--product", "debit", "--amount", "0"], "--amount: '0' must be above zero"),
        (["--product", "debit", "--amount", "1", "--currency", "XYZ"], "--currency: 'XYZ' is no currency"),
        (["--product", "debit", "--amount", "1", "--entry", "nfc"], "--entry nfc: must be one of contactless, qr"),
        (["--product", "qr", "--amount", "1", "--entry", "chip"], "--entry chip: the product qr is paid by QR code"),
        (["--product", "debit", "--amount", "1", "--date", "today"], "--date today: must be a day such as"),
        (["--product", "debit", "--amount", "1", "--schedule", "none.toml"], "none.toml: no such file"),
        (["--product", "debit"], "--amount"),
    ],
)
def test_a_wrong_option_of_a_quote_is_named(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert says in complaint(capsys, 2, "quote", *arguments)


def test_a_good_schedule_is_said_to_be_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file_of(tmp_path, CHEAP_CREDIT)

    assert 0 == run_command(["fees", "check", path])
    assert "fees.toml: rules 1, charges 0, removed 0: good\n" == capsys.readouterr().out
    assert 0 == run_command(["fees", "check", path, "--json"])
    assert {"file": "fees.toml", "rules": 1, "charges": 0, "removed": 0} == json.loads(capsys.readouterr().out)


def test_a_bad_schedule_is_refused_with_file_line_and_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = complaint(capsys, 2, "check", file_of(tmp_path, CHEAP_CREDIT.replace('"0.10"', "0.10")))

    assert "fees.toml:6: rule[1].rate_percent: must be a text" in told


def test_a_schedule_that_takes_away_what_is_not_there_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = complaint(capsys, 2, "check", file_of(tmp_path, 'remove = ["rent"]\n'))

    assert "fees.toml: remove[1]: no schedule above has a rule or charge 'rent'" in told


def test_the_schedule_of_the_page_is_a_good_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[4] / "docs" / "fees.md").read_text("utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)

    assert 0 == run_command(["fees", "check", file_of(tmp_path, example)])
    assert "fees.toml: rules 1, charges 1, removed 1: good\n" == capsys.readouterr().out
