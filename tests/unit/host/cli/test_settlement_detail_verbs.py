"""The verbs of accounts, complaints and rights, by several people, against a running host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.host.cli.test_change_verbs import ACCOUNT, Verbs, handed_in, written
from tests.unit.host.cli.test_serve import Host, sale
from tests.unit.host.merchants.settlement_people import HOLDER_PAPERS, IDENTITY, MERCHANT, OLD_NUMBER


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host that knows a merchant by its first sale."""
    running = Host(tmp_path_factory.mktemp("host"), "--http", "127.0.0.1:0")
    running.ask(sale(1))
    yield running
    running.end()


@pytest.fixture
def verbs(host: Host, capsys: pytest.CaptureFixture[str]) -> Verbs:
    return Verbs(host, capsys)


def token_of(verbs: Verbs, name: str, role: str) -> tuple[str, str]:
    """The option under which a verb is a new user's."""
    (user,) = verbs.json("users", "create", name, "--role", role)
    return "--token", user["token"]


def test_an_account_is_frozen_released_by_somebody_else_lost_and_closed(verbs: Verbs, tmp_path: Path) -> None:
    (first,) = verbs.json(
        "accounts", "record", MERCHANT, written(tmp_path, "a.json", {**ACCOUNT, "number": OLD_NUMBER})
    )
    number = first["account_id"]
    clerk = token_of(verbs, "fu.jun", "reviewer")
    frozen = verbs.json("accounts", "freeze", MERCHANT, number, "--why", "a court wants it", *clerk)
    assert "frozen" == frozen[0]["state"]
    code, _, err = verbs.run("accounts", "release", MERCHANT, number, "--why", "never mind", *clerk)
    assert (1, True) == (code, "somebody else" in err)
    reviewer = token_of(verbs, "wang.wei", "reviewer")
    released = verbs.json("accounts", "release", MERCHANT, number, "--why", "the court is done", *reviewer)
    assert "active" == released[0]["state"]

    _, out, _ = verbs.run("accounts", "list", MERCHANT)
    assert (True, False) == ("*" + OLD_NUMBER[-4:] in out, OLD_NUMBER in out)
    assert "held" == verbs.json("accounts", "report-loss", MERCHANT, "--why", "the card was stolen")[0]["payouts"]
    assert "closed" == verbs.json("accounts", "close", MERCHANT, number, "--why", "the bank says so")[0]["state"]
    code, _, err = verbs.run("accounts", "freeze", MERCHANT, number, "--why", "again")
    assert (1, True) == (code, "possible is nothing" in err)


def test_usage_rules_are_set_listed_and_put_back(verbs: Verbs, tmp_path: Path) -> None:
    other = "M0000002"
    verbs.json("merchants", "create", other)
    (first,) = verbs.json("accounts", "record", other, written(tmp_path, "a.json", {**ACCOUNT, "number": OLD_NUMBER}))
    rule = {"account_id": first["account_id"], "weekday": "monday"}
    asked = {"valid_from": "2026-03-01", "rules": [rule]}
    verbs.json("accounts", "set-usage-rules", other, written(tmp_path, "rules.json", asked))
    verbs.json("accounts", "set-usage-rules", other, written(tmp_path, "none.json", {**asked, "rules": []}))
    (restored,) = verbs.json(
        "accounts", "restore-usage-rules", other, "1", "--from", "2026-04-01", "--why", "a mistake"
    )

    assert ("1", "monday") == (restored["restored_from"], restored["rules"][0]["weekday"])
    versions = verbs.json("accounts", "usage-rules", other)
    assert [1, 0, 1] == [len(version["rules"]) for version in versions]
    code, _, err = verbs.run("accounts", "set-usage-rules", other, written(tmp_path, "no.json", {"rules": []}))
    assert (2, True) == (code, "valid_from" in err)


def test_a_complaint_is_upheld_by_verbs(verbs: Verbs, tmp_path: Path) -> None:
    papers = handed_in(verbs, tmp_path, HOLDER_PAPERS)
    change = {
        "holder": {"name": "Li Si", "identity": IDENTITY},
        "reason": "left",
        "effective_on": "2026-03-10",
        "documents": papers,
    }
    clerk = token_of(verbs, "tang.yu", "operator")
    (applied,) = verbs.json("holder-changes", "apply", MERCHANT, written(tmp_path, "change.json", change), *clerk)
    number = applied["change_id"]
    reviewer, other = token_of(verbs, "sun.yan", "reviewer"), token_of(verbs, "zhao.lei", "reviewer")
    verbs.json("holder-changes", "reject", MERCHANT, number, "--reason", "not to be read", *reviewer)

    (opened,) = verbs.json(
        "complaints", "open", MERCHANT, "holder_change", number, "--text", "it is to be read", *clerk
    )
    complaint = opened["complaint_id"]
    code, _, err = verbs.run("complaints", "uphold", MERCHANT, complaint, "--answer", "so it is", *reviewer)
    assert (1, True) == (code, "somebody else" in err)
    (upheld,) = verbs.json("complaints", "uphold", MERCHANT, complaint, "--answer", "so it is", *other)
    assert ("upheld", "zhao.lei") == (upheld["state"], upheld["answered_by"])
    assert "submitted" == verbs.json("holder-changes", "show", MERCHANT, number)[0]["state"]

    verbs.json("holder-changes", "reject", MERCHANT, number, "--reason", "still not", *reviewer)
    (again,) = verbs.json("complaints", "open", MERCHANT, "holder_change", number, "--text", "it is", *clerk)
    verbs.json("complaints", "withdraw", MERCHANT, again["complaint_id"], *clerk)
    listed = [one for one in verbs.json("complaints", "list", MERCHANT) if one["about"] == "holder_change"]
    assert ["upheld", "withdrawn"] == [one["state"] for one in listed]
    code, _, err = verbs.run("complaints", "dismiss", MERCHANT, again["complaint_id"], "--answer", "no", *other)
    assert (1, True) == (code, "possible is nothing" in err)


def test_an_application_that_was_refused_is_listed_and_complained_of_by_verbs(verbs: Verbs, tmp_path: Path) -> None:
    asked = written(tmp_path, "change.json", {"account": {**ACCOUNT, "number": OLD_NUMBER}})
    clerk = token_of(verbs, "pan.li", "operator")
    code, _, err = verbs.run("account-changes", "apply", MERCHANT, asked, *clerk)
    (kept,) = verbs.json("complaints", "refused", MERCHANT)
    number = kept["refused_application"]
    assert (1, True) == (code, f"refused application {number}" in err)
    _, out, _ = verbs.run("complaints", "refused", MERCHANT)
    assert (True, False) == ("document_missing" in out, OLD_NUMBER in out)

    text = "the papers lie at the branch"
    (opened,) = verbs.json("complaints", "open", MERCHANT, "refused_application", number, "--text", text, *clerk)
    reviewer = token_of(verbs, "he.ping", "reviewer")
    answering = ("complaints", "dismiss", MERCHANT, opened["complaint_id"], "--answer", "hand them in")
    assert "dismissed" == verbs.json(*answering, *reviewer)[0]["state"]


def test_a_right_is_asked_for_granted_and_taken_back_by_verbs(verbs: Verbs, tmp_path: Path) -> None:
    viewer = token_of(verbs, "guest", "viewer")
    page = tmp_path / "contract.pdf"
    page.write_text("a contract")
    hand_in = ("documents", "hand-in", MERCHANT, str(page), "--kind", "contract")
    assert 1 == verbs.run(*hand_in, *viewer)[0]

    asking = ("rights", "request", MERCHANT, "document.keep", "--for", "PT4H", "--reason", "the operator is ill")
    (asked,) = verbs.json(*asking, *viewer)
    number = asked["request_id"]
    assert 1 == verbs.run("rights", "grant", MERCHANT, number, *viewer)[0]
    (granted,) = verbs.json("rights", "grant", MERCHANT, number, "--why", "until tonight")
    assert ("granted", True) == (granted["state"], granted["until"] is not None)
    assert 0 == verbs.run(*hand_in, *viewer)[0]

    assert "revoked" == verbs.json("rights", "revoke", MERCHANT, number)[0]["state"]
    assert 1 == verbs.run(*hand_in, *viewer)[0]
    (refused,) = verbs.json(*asking, *viewer)
    assert "refused" == verbs.json("rights", "refuse", MERCHANT, refused["request_id"])[0]["state"]
    (withdrawn,) = verbs.json(*asking, *viewer)
    assert "withdrawn" == verbs.json("rights", "withdraw", MERCHANT, withdrawn["request_id"], *viewer)[0]["state"]
    assert ["revoked", "refused", "withdrawn"] == [one["state"] for one in verbs.json("rights", "list", MERCHANT)]


def test_a_right_for_a_time_that_is_none_is_bad_usage(verbs: Verbs) -> None:
    viewer = token_of(verbs, "visitor", "viewer")
    asking = ("rights", "request", MERCHANT, "document.keep", "--for", "ages", "--reason", "why not")
    code, _, err = verbs.run(*asking, *viewer)

    assert (2, 1, True) == (code, len(err.splitlines()), "PT4H" in err)
