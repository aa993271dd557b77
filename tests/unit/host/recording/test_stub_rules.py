"""Rules out of recordings: which there are, in which order, and that the rules engine takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pos_host.cli import run_command
from pos_host.recording.stub_rules import Outcome, _rule, stub_rules
from pos_host.rules.rule import load_rules, rules_of
from pos_specs.framing import Frame, join_frame
from pos_specs.language import open_language
from pos_specs.message import Message
from pos_specs.recorded_exchanges import exchanges_of
from pos_specs.recording import RecordedFrame, heading, line_of

HYPERCOM = open_language("hypercom")


class Recording:
    """Frames of a recording, made one exchange after the other."""

    def __init__(self) -> None:
        self.frames: list[RecordedFrame] = []
        self._stan = 0

    def sale(self, amount_minor: int, code: str | None = "00", **extra: str) -> Recording:
        """A purchase and its answer, none for a code of None; `f63` stands in the answer, others in the request."""
        self._stan += 1
        fields = {3: "000000", 4: f"{amount_minor:012d}", 11: f"{self._stan:06d}", 22: "022", 24: "003", 25: "00"}
        fields |= {35: "6222020000000005D4912", 41: "H0000001", 42: "898000000000001"}
        answer = {3: "000000", 4: f"{amount_minor:012d}", 11: f"{self._stan:06d}", 24: "003", 41: "H0000001"}
        for name, value in extra.items():
            (answer if name in ("f44", "f54") else fields)[int(name[1:])] = value
        self.add("to_host", Message("0200", dict(sorted(fields.items()))))
        if code is not None:
            self.add("to_terminal", Message("0210", dict(sorted({**answer, 39: code}.items()))))
        return self

    def add(self, direction: Any, message: Message) -> None:
        frame = Frame(bytes.fromhex("6000030000"), b"", HYPERCOM.encode(message))
        data = join_frame(HYPERCOM.dialect.framing, frame)
        self.frames.append(RecordedFrame(0, 1, direction, "hypercom", "binary2", data, len(data)))

    def rules(self) -> list[dict[str, Any]]:
        return stub_rules(exchanges_of(self.frames, open_language))


def whens(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in rule["when"].items() if k not in ("function", "dialect")} for rule in rules]


def test_approvals_alone_need_no_rule() -> None:
    assert [] == Recording().sale(100).sale(200).rules()


def test_a_declined_amount_is_a_rule_by_amount() -> None:
    (rule,) = Recording().sale(100).sale(51_00, "51").sale(200).sale(51_00, "51").rules()

    assert {"function": "purchase", "dialect": "hypercom", "amount": "51.00"} == rule["when"]
    assert {"response_code": "51"} == rule["reply"]


def test_a_large_amount_is_written_as_rules_take_it() -> None:
    (rule,) = Recording().sale(100).sale(1_234_567_89, "51").sale(200).rules()

    assert "1234567.89" == rule["when"]["amount"]


def test_a_declined_card_is_told_apart_by_its_first_digits() -> None:
    bad = {"f35": "4111110000000005D4912"}
    rules = Recording().sale(100).sale(100, "05", **bad).sale(200).rules()

    assert [{"pan": "411111"}] == whens(rules)


def test_where_nothing_else_differs_the_request_is_counted() -> None:
    rules = Recording().sale(100).sale(100).sale(100, "91").rules()

    assert [{"terminal_id": "H0000001", "nth": 3}] == whens(rules)


def test_the_most_frequent_refusal_is_the_last_rule_of_its_function() -> None:
    rules = Recording().sale(100, "05").sale(200, "05").sale(300).rules()

    assert [{"amount": "3.00"}, {}] == whens(rules)
    assert ["00", "05"] == [rule["reply"]["response_code"] for rule in rules]


def test_texts_of_the_answer_are_given_again() -> None:
    (rule,) = Recording().sale(100).sale(500, "05", f44="CALL BANK").sale(300).rules()

    assert {"response_code": "05", "set": {"44": "CALL BANK"}} == rule["reply"]


def test_a_request_without_an_answer_gets_none_again() -> None:
    (rule,) = Recording().sale(100).sale(700, None).rules()

    assert ("no_reply", {"amount": "7.00"}) == (rule["fault"], whens([rule])[0])


@pytest.mark.parametrize("code", [" 5", "É!", "--", "5/"])
def test_a_code_of_odd_signs_makes_a_rule_that_loads(code: str) -> None:
    made = Recording().sale(100).sale(200).sale(500, "05").rules()
    cases = [
        _rule("a-dialect-whose-name-is-very-long-" * 2, "purchase", {}, Outcome(code), number) for number in (1, 2)
    ]
    assert len(made) + 2 == len(rules_of([*made, *cases]))


def test_an_answer_without_a_code_is_one_again() -> None:
    recording = Recording().sale(100).sale(200).sale(500, "05")
    answer = Message("0210", {3: "000000", 11: "000003", 24: "003", 41: "H0000001"})
    recording.frames.pop()
    recording.add("to_terminal", answer)

    (rule,) = rules_of(recording.rules())
    assert rule.reply is not None
    assert (39,) == rule.reply.omitted


def test_a_function_that_there_is_not_makes_no_rule() -> None:
    exchange = exchanges_of(Recording().sale(500, "05").frames, open_language)[0]
    assert [] == stub_rules([exchange._replace(function="sale")])


def test_the_verb_writes_rules_that_load(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = Recording().sale(100).sale(51_00, "51").sale(700, None).sale(500, "05", f44="CALL BANK").sale(300)
    path, out = tmp_path / "day.jsonl", tmp_path / "rules.yaml"
    path.write_text("\n".join([heading("a test", ""), *map(line_of, made.frames)]))

    assert 0 == run_command(["rules", "from-recording", str(path), "--out", str(out)])
    assert 3 == len(load_rules(out))
    assert 2 == run_command(["rules", "from-recording", str(path), "--out", str(out)])
    assert "is there already" in capsys.readouterr().err


def test_a_file_that_is_no_recording_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").write_text("{}")

    assert 2 == run_command(["rules", "from-recording", str(tmp_path / "x")])
    assert "recording: is missing" in capsys.readouterr().err
