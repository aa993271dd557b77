"""Outcomes as JUnit XML, the form that CI servers read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree import ElementTree

from pos_terminal.scenarios.results import Outcome


def junit_xml(outcomes: Sequence[Outcome]) -> str:
    """One `testsuite` for each file, one `testcase` for each scenario."""
    root = ElementTree.Element("testsuites", _counts(outcomes))
    for file in dict.fromkeys(outcome.scenario.file for outcome in outcomes):
        of_file = [outcome for outcome in outcomes if outcome.scenario.file == file]
        suite = ElementTree.SubElement(root, "testsuite", {"name": _printable(file), **_counts(of_file)})
        for outcome in of_file:
            _case(suite, outcome)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, outcome: Outcome) -> None:
    scenario = outcome.scenario
    about = {
        "name": _printable(scenario.name),
        "classname": _printable(scenario.file),
        "time": f"{outcome.seconds:.3f}",
    }
    case = ElementTree.SubElement(suite, "testcase", about)
    if outcome.failure is not None:
        message = _printable(outcome.failure.differences[0])
        tag, kind = ("error", "interrupted") if outcome.verdict == "interrupted" else ("failure", "difference")
        failure = ElementTree.SubElement(case, tag, {"message": message, "type": kind})
        failure.text = _printable(str(outcome.failure))
    if outcome.verdict == "skipped":
        ElementTree.SubElement(case, "skipped", {"message": _printable(outcome.reason)})


def _counts(outcomes: Iterable[Outcome]) -> dict[str, str]:
    all_of_them = list(outcomes)
    verdicts = [outcome.verdict for outcome in all_of_them]
    return {
        "tests": str(len(verdicts)),
        "failures": str(verdicts.count("failed")),
        "errors": str(verdicts.count("interrupted")),
        "skipped": str(verdicts.count("skipped")),
        "time": f"{sum(outcome.seconds for outcome in all_of_them):.3f}",
    }


def _printable(text: str) -> str:
    """Without the control characters that XML 1.0 has no way to write: an answer may hold any."""
    return "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text)
