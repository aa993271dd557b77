"""`pos-host cards list`."""

from __future__ import annotations

import json

import pytest

from pos_host.cli import run_command
from pos_specs import test_cards


def said_of(name: str, lines: list[str]) -> str:
    (line,) = [line for line in lines if line.split()[0] == name]
    return line.split(maxsplit=6)[6]


def test_every_test_card_is_listed_with_what_its_issuer_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run_command(["cards", "list"])

    heads, *lines = capsys.readouterr().out.splitlines()
    assert ["name", "number", "scheme", "product", "expiry", "PIN", "what"] == heads.split()[:7]
    assert [card.name for card in test_cards.shipped_test_cards().values()] == [line.split()[0] for line in lines]
    assert "lost_card" == said_of("visa-lost-card", lines)
    assert "expired_card" == said_of("unionpay-expired", lines)
    assert "approved up to 10000, beyond it over_limit" == said_of("visa-over-limit", lines)
    assert "approved up to 5000, beyond it that part (or insufficient_funds)" == said_of("visa-partial", lines)
    assert "approved up to 0, beyond it insufficient_funds" == said_of("visa-insufficient-funds", lines)


def test_a_program_reads_a_document_for_each_card(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run_command(["cards", "list", "--json"])

    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (visa,) = [document for document in documents if document["name"] == "visa"]
    assert {
        "name": "visa",
        "pan": "4111111111111111",
        "organisation": "VIS",
        "product": "credit",
        "expiry": "4912",
        "pin": "1234",
        "outcome": "approved",
        "balance_minor": 1_000_000_000,
        "limit_minor": None,
        "available_minor": None,
        "script": "",
    } == visa
