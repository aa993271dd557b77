"""Suites: what is shipped, what is refused and where, and a step that is played again when the line may be to blame."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.host.certification.bench import CUP, Shop, certify

from pos_host.certification.suite import load_suite, read_suite, shipped_suites
from pos_host.rules.errors import RulesError
from pos_specs.yaml_lines import read_document
from pos_terminal.commands import Manage, Purchase
from pos_terminal.terminal import Terminal

SMALL = """
[suite]
name = "small"
title = "A suite for tests"
dialect = "unionpay"
reversible = ["purchase"]

[[rules]]
id = "taken"
title = "A slow answer is taken"
source = "this test"
check = "taken"
faults = ["delay"]

[[steps]]
id = "slow"
say = "Sell."
shows = ["taken"]
[[steps.play]]
when = { function = "purchase" }
fault = "delay"
"""


STEP_AGAIN = '[[steps]]\nid = "slow"\nsay = "Sell again."\nshows = ["taken"]\n'
FORM = 'check = "element_form"\nelement = 60\nfunctions = ["purchase"]\npattern = "{}"'


def test_every_shipped_suite_names_a_source_for_each_rule_and_shows_no_path_of_ours() -> None:
    for name in shipped_suites():
        suite = load_suite(name)
        assert all(rule.source and "wire/" not in rule.source for rule in suite.rules), name


@pytest.mark.parametrize(
    ("instead", "wrong", "line", "reason"),
    [
        ('check = "taken"', 'check = "seen"', 12, "rules[1].check: must be one of"),
        ('faults = ["delay"]', "", 8, "has no faults, which the check taken takes"),
        ('faults = ["delay"]', 'faults = ["dely"]', 13, "rules[1].faults: must be one or several of"),
        ('faults = ["delay"]', 'faults = ["delay"]\nmost = 3', 14, "rules[1].most: the check taken takes none"),
        ('shows = ["taken"]', 'shows = ["token"]', 18, "steps[1].shows: there is no rule token"),
        ('fault = "delay"', 'fault = "dely"', 19, "must be one of"),
        ('say = "Sell."', "", 15, "steps[1].say: is missing"),
        ('title = "A slow', 'titel = "A slow', 8, "rules[1].title: is missing"),
        (SMALL[SMALL.index("[[rules]]") :], SMALL[SMALL.index("[[rules]]") :] + STEP_AGAIN, 15, "steps: two of them"),
        ('check = "taken"\nfaults = ["delay"]', FORM.format("(a+)+"), 16, "rules[1].pattern: repeats a repetition"),
        ('check = "taken"\nfaults = ["delay"]', FORM.format("(a"), 16, "rules[1].pattern: is no regular expression"),
    ],
)
def test_a_mistake_in_a_suite_is_told_with_file_line_and_key(instead: str, wrong: str, line: int, reason: str) -> None:
    with pytest.raises(RulesError) as raised:
        read_suite(read_document(SMALL.replace(instead, wrong, 1), "small.toml"))

    assert str(raised.value).startswith("small.toml:")
    assert reason in str(raised.value)
    assert abs(line - (raised.value.line or 0)) <= 1


def test_a_suite_of_your_own_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "small.toml"
    file.write_text(SMALL)

    assert "small" == load_suite(str(file)).name
    with pytest.raises(RulesError, match="no such suite; shipped are hypercom, unionpay"):
        load_suite("nothing")


class LosesOne(Terminal):
    """The line loses one answer on its way to it: it has reason to reverse."""

    lost = 0
    most = 1

    def receive(self, answer):  # type: ignore[no-untyped-def]
        asked = self._asked
        if asked is not None and asked.function == "purchase" and self.lost < self.most:
            type(self).lost += 1
            return None
        return super().receive(answer)


async def sells(shop: Shop) -> None:
    await shop.do(Manage("sign_in"))
    for amount_minor in range(1_000, 1_008):
        await shop.do(Purchase(CUP, amount_minor, "156"))


@pytest.mark.parametrize(("lost", "verdict", "played"), [(1, "passed", 2), (8, "failed", 2)])
def test_an_answer_that_may_be_lost_is_tried_again_and_counts_the_second_time(
    lost: int, verdict: str, played: int
) -> None:
    loses = type("Loses", (LosesOne,), {"lost": 0, "most": lost})
    outcome = certify("unionpay", make=loses, live=sells, suite=read_suite(read_document(SMALL, "small.toml")))

    assert verdict == outcome.of("taken").verdict
    assert played == sum("slow" in exchange.rules for exchange in outcome.exchanges)
