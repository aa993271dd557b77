"""The report: every rule with its proof, escaped, and nothing in it that is a cardholder's or a key."""

from __future__ import annotations

import json
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from tests.unit.host.certification.bench import (
    CUP,
    MERCHANT,
    PIN,
    VISA,
    Outcome,
    business_near_the_last_stan,
    certify,
)
from tests.unit.host.certification.broken_terminals import sending

from pos_host.certification.report import Run, report_of
from pos_host.certification.report_files import write_report
from pos_host.exchanges import Exchange
from pos_terminal.terminal import Terminal

RUN = Run(1_772_452_800_000, 1_772_453_800_000, "everything was seen", 7, 86)
HOSTILE = "<i>&1"
BROKEN = sending("settlement", lambda fields: fields.update({63: "<b>"}))


@cache
def outcome_of(dialect: str) -> Outcome:
    return certify(dialect, make=BROKEN if dialect == "unionpay" else Terminal, live=business_near_the_last_stan)


def report_on(dialect: str) -> dict[str, Any]:
    outcome = outcome_of(dialect)
    return report_of(outcome.suite, outcome.judgements, RUN)


def written(folder: Path, report: dict[str, Any]) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in write_report(folder, report)}


def secrets_of(exchanges: list[Exchange]) -> set[str]:
    """Everything of the run that nobody may read: cards, tracks, PIN blocks, and keys as they came."""
    found = {CUP.pan, VISA.pan, PIN.digits + "FF", "0123456789ABCDEFFEDCBA9876543210"}
    for exchange in exchanges:
        assert exchange.request is not None
        found |= {exchange.request.fields[number] for number in (35, 52) if number in exchange.request.fields}
        answer = exchange.language.decode(
            exchange.reply[13:] if exchange.language.name == "unionpay" else exchange.reply[7:]
        )
        if exchange.function == "sign_in" and not exchange.rules:
            found.add(answer.fields[62])
            found.add(answer.fields[62].encode("latin-1").hex().upper())
    return found | {secret.replace("D", "=") for secret in found}


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom"])
def test_no_card_number_track_pin_block_or_key_is_in_any_report(dialect: str, tmp_path: Path) -> None:
    outcome = outcome_of(dialect)
    secrets = secrets_of(outcome.exchanges)
    assert len(secrets) > 8

    for name, text in written(tmp_path, report_on(dialect)).items():
        assert not [secret for secret in secrets if secret in text], name


@pytest.mark.parametrize(
    ("dialect", "function", "number", "value"),
    [
        ("unionpay", "purchase", 63, f"CUP{CUP.pan}"),
        ("unionpay", "purchase", 62, CUP.pan.encode().hex().upper()),
        ("unionpay", "settlement", 63, VISA.pan),
        ("hypercom", "purchase", 48, f"{CUP.pan}=30122010000"),
        ("hypercom", "purchase", 47, f"card {VISA.pan}"),
    ],
)
def test_a_card_number_in_the_wrong_element_is_told_of_and_not_shown(
    dialect: str, function: str, number: int, value: str, tmp_path: Path
) -> None:
    sloppy = certify(dialect, make=sending(function, lambda fields: fields.update({number: value})))

    for name, text in written(tmp_path, report_of(sloppy.suite, sloppy.judgements, RUN)).items():
        for pan in (CUP.pan, VISA.pan):
            assert pan not in text, name
            assert pan.encode().hex().upper() not in text, name


def test_every_rule_has_its_verdict_source_and_the_messages_that_prove_it() -> None:
    report = report_on("unionpay")

    messages = {message["number"]: message for message in report["messages"]}
    assert {"passed": len(report["rules"]) - 1, "failed": 1, "not_seen": 0} == report["counts"]
    for rule in report["rules"]:
        assert rule["source"]
        assert all(number in messages for finding in rule["findings"] for number in finding["messages"])
    shown = next(message for message in report["messages"] if message["function"] == "purchase")
    assert (MERCHANT, "T0000001") == (shown["merchant_id"], shown["terminal_id"])
    assert shown["request"]["hex"].startswith("00")
    assert "stan" == shown["request"]["names"]["11"]


class Elements(HTMLParser):
    """Which elements a page has, and its anchors and links within."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        given = dict(attrs)
        self.ids.add(given.get("id") or "")
        self.links.add(given.get("href") or "")


def test_what_a_terminal_sends_is_no_markup_in_the_page(tmp_path: Path) -> None:
    page = written(tmp_path, report_on("unionpay"))["report.html"]
    elements = Elements()
    elements.feed(page)

    assert not {"b", "i", "script", "link", "img"} & elements.tags
    assert "&lt;b&gt;" in page
    assert {link[1:] for link in elements.links if link.startswith("#")} <= elements.ids
    assert not [link for link in elements.links if link and not link.startswith("#")]


def test_the_junit_form_has_a_failure_for_what_failed_and_nothing_xml_cannot_hold(tmp_path: Path) -> None:
    report = report_on("unionpay")
    failed = next(rule for rule in report["rules"] if rule["verdict"] == "failed")
    failed["reason"] += f" \x01{HOSTILE}"
    suite = ElementTree.fromstring(written(tmp_path, report)["report.xml"])

    assert (str(len(report["rules"])), "1", "0") == (suite.get("tests"), suite.get("failures"), suite.get("skipped"))
    case = next(case for case in suite if case.find("failure") is not None)
    failure = case.find("failure")
    assert failure is not None
    assert "de63-operator" == case.get("name")
    assert (failure.get("message") or "").endswith(f"\ufffd{HOSTILE}")


def test_the_json_form_is_the_report(tmp_path: Path) -> None:
    report = report_on("hypercom")

    assert json.loads(json.dumps(report)) == json.loads(written(tmp_path, report)["report.json"])
