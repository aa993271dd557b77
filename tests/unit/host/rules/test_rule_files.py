"""Rule files: what they may say, and what is told of one that is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.unit.host.pipeline.terminals import UNIONPAY_CARD

from pos_host.rules.errors import RulesError
from pos_host.rules.rule import load_rules, read_rule_file, read_rule_files, rules_of, shipped_rule_files
from pos_host.rules.rulebook import Rulebook
from pos_host.rules.shown_rule import shown

ROOT = Path(__file__).parents[4]


def written(folder: Path, text: str, name: str = "rules.yaml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


CONTRACT = """\
seed: 7
rules:
  - id: no-funds
    when: {function: purchase, amount: "51.00"}
    reply: {response_code: "51"}
  - id: late
    when: {terminal_id: "T0000001", nth: 3}
    fault: {kind: delay, seconds: 40}
    times: 1
"""


def test_the_documents_of_the_contract_are_read(tmp_path: Path) -> None:
    first, second = (file := read_rule_file(written(tmp_path, CONTRACT))).rules
    assert (7, ["no-funds", "late"]) == (file.seed, [first.id, second.id])
    assert (None, ("purchase",)) == (first.fault, first.condition.functions)
    assert second.fault is not None
    assert ("delay", {"seconds": 40}, 1) == (second.fault.kind.name, second.fault.values, second.times)


@pytest.mark.parametrize(
    ("page", "ids"), [("docs/rules.md", ["no-funds", "late"]), ("README.md", ["rule-1", "rule-2"])]
)
def test_the_example_of_the_documents_is_a_rule_file(tmp_path: Path, page: str, ids: list[str]) -> None:
    (block, *_) = re.findall(r"```yaml\n((?:# .*\n)?rules:\n.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    assert ids == [rule.id for rule in load_rules(written(tmp_path, block))]


def test_toml_says_the_same(tmp_path: Path) -> None:
    text = '[[rules]]\nwhen.function = "purchase"\nfault = "no_reply"\n'
    (rule,) = load_rules(written(tmp_path, text, "rules.toml"))
    assert ("rule-1", "no_reply") == (rule.id, rule.fault.kind.name if rule.fault else "")


@pytest.mark.parametrize(
    ("rule", "line", "told"),
    [
        ("{}", 2, "rules[1]: does nothing: it needs a reply or a fault"),
        ("5", 2, "rules[1]: must be a table of keys and values"),
        ("{fault: delay, wen: {}}", 2, "rules[1].wen: is no key of a rule, which has enabled, fault, id, reply, times"),
        ("{id: a b, fault: delay}", 2, "rules[1].id: must be letters, digits and . _ - (at most 64)"),
        ("{fault: slow}", 2, "rules[1].fault.kind: must be one of delay, late_reply, no_reply, drop_before_commit"),
        ("{fault: {kind: delay, ms: 5}}", 2, "fault.ms: is no key of the fault delay, which has kind, seconds"),
        ("{fault: {kind: delay, seconds: x}}", 2, "rules[1].fault.seconds: must be a number from 0 to 3600"),
        ("{fault: {kind: truncate, bytes: 0}}", 2, "fault.bytes: must be a whole number from 1 to 65535"),
        ("{fault: {kind: wrong_mti, mti: 21}}", 2, "fault.mti: must be 4 digits in quotes"),
        ("{fault: delay, times: 0}", 2, "rules[1].times: must be a whole number from 1"),
        ("{fault: delay, enabled: 1}", 2, "rules[1].enabled: must be true or false"),
        ("\n    when:\n      function: sale\n    fault: delay", 4, "when.function: must be one or several of sign_in"),
        ("\n    fault: delay\n    when:\n      amount: 1.2.3", 5, 'when.amount: must be an amount such as'),
        ("{fault: delay, when: {amount: {from: 9, to: 5}}}", 2, "when.amount: ends before it begins"),
        ("{fault: delay, when: {amount: {}}}", 2, "when.amount: must have from or to"),
        ("{fault: delay, when: {amount: {form: 1}}}", 2, "when.amount.form: is no key of an amount"),
        ("{fault: delay, when: {currency: XYZ}}", 2, "when.currency: must be letters or number of a currency"),
        ("{fault: delay, when: {pan: '62284874652130'}}", 2, "when.pan: must be at most eight first digits"),
        ("{fault: delay, when: {field: {1: x}}}", 2, "when.field.1: is no element: elements are numbers from 2 to 128"),
        ("{fault: delay, when: {field: {60: '['}}}", 2, "when.field.60: is no regular expression: unterminated"),
        ("{fault: delay, when: {tag: {9F2: x}}}", 2, "when.tag.9F2: is no tag"),
        ("{fault: delay, when: {mti: '2xx'}}", 2, "when.mti: must be four digits"),
        ("{fault: delay, when: {nth: 0}}", 2, "when.nth: must be a whole number from 1 to 1000000, or a list"),
        ("{fault: delay, when: {every: 1.5}}", 2, "when.every: must be a whole number"),
        ("{fault: delay, when: {probability: 2}}", 2, "when.probability: must be a number from 0 to 1"),
        ("{fault: delay, when: {probability: 0}}", 2, "when.probability: must be above 0"),
        ("{fault: delay, when: {between: [22:00, 25:00]}}", 2, "when.between: must be two times of day"),
        ("{reply: {}}", 2, "rules[1].reply: says nothing; it may have response_code"),
        ("{reply: {response_code: [5]}}", 2, "reply.response_code: must be a text in quotes"),
        ("{reply: {response_code: '{reply.39}'}}", 2, "reply.response_code: has a place that there is not"),
        ("{reply: {set: {44: '{batch.size}'}}}", 2, "reply.set.44: has a place that there is not; there are request.N"),
        ("{reply: {set: {44: '{request.11'}}}", 2, "reply.set.44: has a brace that belongs to no place"),
        ("{reply: {set: {129: x}}}", 2, "reply.set.129: is no element"),
        ("{reply: {omit: [0]}}", 2, "reply.omit: must be elements"),
        ("{reply: {tags: {72: XY}}}", 2, "reply.tags.72: must be hex digits in quotes"),
        ("{reply: {approved_amount: '5'}}", 2, "reply.approved_amount: needs the response_code"),
        ("{when: {function: purchase}, reply: {force_upload: true}}", 2, "force_upload is for the function settlement"),
        ("{reply: {omit: [38]}, fault: drop_before_commit}", 2, "fault: drop_before_commit answers nothing"),
        ("{id: a, fault: delay}\n  - {id: a, fault: delay}", 3, "rules[2].id: there is another rule a"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(tmp_path: Path, rule: str, line: int, told: str) -> None:
    path = written(tmp_path, f"rules:\n  - {rule}\n")
    with pytest.raises(RulesError) as refused:
        load_rules(path)
    assert str(refused.value).startswith(f"{path}:{line}: ")
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "rules.yaml:1: rules: is missing"),
        ("rules: {}", "rules.yaml:1: rules: must be a list of rules"),
        ("- a", "rules.yaml:1: must be a table"),
        ("rules: []\nsed: 1", "rules.yaml:2: sed: is no key of a rule file, which has rules, seed"),
        ("rules: []\nseed: -1", "rules.yaml:2: seed: must be a whole number"),
        ("rules: [", "rules.yaml:1: is not YAML"),
    ],
)
def test_a_file_that_is_no_rule_file_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(RulesError) as refused:
        load_rules(written(tmp_path, text))
    assert told in str(refused.value)


def test_no_text_of_an_error_repeats_a_card_number(tmp_path: Path) -> None:
    with pytest.raises(RulesError) as refused:
        load_rules(written(tmp_path, f"rules: [{{fault: delay, when: {{pan: '{UNIONPAY_CARD}'}}}}]"))
    assert UNIONPAY_CARD not in str(refused.value)


def test_a_card_number_in_a_pattern_is_masked_where_rules_are_shown() -> None:
    rulebook = Rulebook(lambda used: None)
    when = {"field": {"2": f"^{UNIONPAY_CARD}$"}, "merchant_id": "898310000000001"}
    rulebook.add({"when": when, "reply": {"set": {"44": UNIONPAY_CARD}}})
    assert UNIONPAY_CARD not in str(rulebook.views())
    assert "898310000000001" in str(rulebook.views())


@pytest.mark.parametrize(
    "rule",
    [
        {"title": "the card 6222 0212 3456 7890 128"},
        {"title": "the card 6222-0212-3456-7890-128"},
        {"reply": {"set": {"48": f"0019{UNIONPAY_CARD}0000"}}},
        {"reply": {"set": {"63": UNIONPAY_CARD.encode().hex()}}},
        {"reply": {"set": {"63": UNIONPAY_CARD.encode("cp500").hex().upper()}}},
        {"when": {"field": {"2": [UNIONPAY_CARD]}}},
        {"when": {"field": {"2": int(UNIONPAY_CARD)}}},
        {"when": {"tag": {"5a": UNIONPAY_CARD}}},
    ],
)
def test_a_card_number_is_masked_in_every_form_where_rules_are_shown(rule: dict[str, Any]) -> None:
    told = str(shown(rule))
    digits = [UNIONPAY_CARD, UNIONPAY_CARD.encode().hex(), UNIONPAY_CARD.encode("cp500").hex().upper()]
    assert not any(form in re.sub("[ -]", "", told) for form in digits)


def test_a_short_card_number_at_the_end_of_a_longer_run_is_starred_too() -> None:
    assert {"title": "*" * 20} == shown({"title": "00000004222222222222"})


def test_tracks_and_pin_blocks_of_a_rule_are_not_shown_and_what_is_short_or_a_script_is() -> None:
    rule = {
        "when": {"field": {"35": "^622202", "45": "DOE/JOHN", "52": None}, "tag": {"57": "D2512101", "9F26": "^A1"}},
        "reply": {"set": {"35": "6222=25121010000", "52": "1122334455667788"}, "tags": {"72": "84240000081122334455"}},
    }
    assert {
        "when": {"field": {"35": "^622202", "45": "DOE/JOHN", "52": None}, "tag": {"57": "D2512101", "9F26": "^A1"}},
        "reply": {"set": {"35": "…", "52": "…"}, "tags": {"72": "84240000081122334455"}},
    } == shown(rule)


def test_rules_without_an_id_get_the_first_free_ones() -> None:
    ids = [rule.id for rule in rules_of([{"id": "rule-2", "fault": "reset"}, *[{"fault": "reset"}] * 3], ["rule-3"])]
    assert ["rule-2", "rule-1", "rule-4", "rule-5"] == ids


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"when": {"field": {"9" * 5000: "x"}}, "fault": "reset"}, "is no element"),
        ({"reply": {"set": {"9" * 5000: "x"}}}, "is no element"),
        ({"when": {"field": {"60": "a{99999999999}"}}, "fault": "reset"}, "60: is no regular expression: it repeats"),
        ({"when": {"field": {"60": "(" * 499 + ")" * 499}}, "fault": "reset"}, "60: is no regular expression: its gr"),
        ({"times": 10**12, "fault": "reset"}, r"times: must be a whole number from 1 to 1000000000$"),
    ],
)
def test_what_is_too_long_or_too_deep_is_told_like_every_mistake(rule: dict[str, Any], told: str) -> None:
    with pytest.raises(RulesError, match=told):
        rules_of([rule])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"[[rules]]\nfault = 'reset'\nid = 0x{'f' * 5000}", r"rules\[1\].id: must be letters"),
        (f"[[rules]]\nfault = 'reset'\nid = {'9' * 5000}", "a number of thousands of digits"),
        (f"[[rules]]\nfault = 'reset'\nwhen.amount = 0x{'f' * 5000}", r"when\.amount: must be an amount"),
        (f"[[rules]]\nfault = 'reset'\n{UNIONPAY_CARD} = 1", r"rules\[1\]\.\*{16}: is no key of a rule"),
    ],
)
def test_numbers_in_toml_without_end_and_in_the_wrong_place_are_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(RulesError, match=told) as refused:
        load_rules(written(tmp_path, text, "rules.toml"))
    assert UNIONPAY_CARD not in str(refused.value)


def test_several_files_are_one_rulebook_and_the_first_seed_stands(tmp_path: Path) -> None:
    first, second = written(tmp_path, CONTRACT), written(tmp_path, CONTRACT.replace("no-f", "f"), "more.yaml")
    with pytest.raises(RulesError, match=r"more\.yaml:6: rules\[2\]\.id: there is another rule late"):
        read_rule_files([first, second])
    file = read_rule_files([first, "force-upload"])
    assert (7, ["no-funds", "late", "force-upload"]) == (file.seed, [rule.id for rule in file.rules])
    assert 3 == read_rule_files([first], seed=3).seed


def test_rules_over_an_api_are_told_by_their_place() -> None:
    given: list[Any] = [{"fault": "delay"}, {"fault": "delay", "when": {"nth": "x"}}]
    with pytest.raises(RulesError, match=r"^body: rules\[2\]\.when\.nth: must be a whole number"):
        rules_of(given)


@pytest.mark.parametrize("name", shipped_rule_files())
def test_every_shipped_rule_file_loads(name: str) -> None:
    assert load_rules(name)


def test_an_unknown_name_is_answered_with_the_shipped_ones() -> None:
    with pytest.raises(RulesError, match="no such file, and shipped are force-upload, issuer-scripts"):
        load_rules("magic")
