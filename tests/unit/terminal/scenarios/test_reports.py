"""How outcomes are told: JUnit, Markdown, GitHub's annotations."""

from __future__ import annotations

from xml.etree import ElementTree

from tests.unit.terminal.scenarios.stories import scenario

from pos_terminal.scenarios.annotations import github_error
from pos_terminal.scenarios.junit_report import junit_xml
from pos_terminal.scenarios.markdown_report import markdown_summary
from pos_terminal.scenarios.results import Failure, Outcome

STORY = scenario("- echo:")
FAILURE = Failure("story.yaml", 4, "echo", ("DE39 was to be 00, it is 9\x016 <b>", "100% | of it"))
OUTCOMES = [
    Outcome(STORY, "passed", 0.25, 1),
    Outcome(STORY, "failed", 0.5, 0, FAILURE),
    Outcome(STORY, "skipped", 0.0, reason="needs a manual clock"),
]


def test_junit_counts_what_passed_failed_and_was_skipped() -> None:
    root = ElementTree.fromstring(junit_xml(OUTCOMES))

    [suite] = root.findall("testsuite")
    assert {"tests": "3", "failures": "1", "skipped": "1", "errors": "0", "time": "0.750"} == root.attrib
    assert "story.yaml" == suite.get("name")
    assert ["A story"] * 3 == [case.get("name") for case in suite.findall("testcase")]


def test_junit_holds_every_difference_and_no_character_that_xml_cannot() -> None:
    root = ElementTree.fromstring(junit_xml(OUTCOMES))

    failure = root.find(".//failure")
    assert failure is not None
    assert "story.yaml:4: echo: DE39 was to be 00, it is 9�6 <b>; 100% | of it" == failure.text
    skipped = root.find(".//skipped")
    assert skipped is not None
    assert "needs a manual clock" == skipped.get("message")


def test_what_was_interrupted_is_an_error_and_no_failure() -> None:
    outcomes = [*OUTCOMES[:1], Outcome(STORY, "interrupted", 0.5, 0, FAILURE._replace(differences=("interrupted",)))]
    root = ElementTree.fromstring(junit_xml(outcomes))

    assert ("2", "0", "1") == (root.get("tests"), root.get("failures"), root.get("errors"))
    error = root.find(".//error")
    assert error is not None
    assert ("interrupted", "story.yaml:4: echo: interrupted") == (error.get("message"), error.text)
    assert "2 scenarios: 1 passed, 0 failed, 0 skipped, 1 interrupted" in markdown_summary(outcomes)


def test_the_summary_names_failures_and_what_was_skipped() -> None:
    text = markdown_summary(OUTCOMES)

    assert "3 scenarios: 1 passed, 1 failed, 1 skipped" in text
    assert "| A story | story.yaml:4 echo | DE39 was to be 00, it is 9\x016 \\<b>; 100% \\| of it |" in text
    assert "| A story | needs a manual clock |" in text


def test_a_summary_without_failures_has_no_table() -> None:
    assert "|" not in markdown_summary(OUTCOMES[:1])


def test_an_annotation_is_one_line_that_github_reads() -> None:
    failure = FAILURE._replace(file="a,b:c.yaml", differences=("100%\nof it",))

    assert "::error file=a%2Cb%3Ac.yaml,line=4,title=A story::echo: 100%25%0Aof it" == github_error(failure, "A story")
