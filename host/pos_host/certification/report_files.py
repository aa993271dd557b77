"""The three files of a report: report.json, report.html and report.xml (JUnit)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from pos_host.certification.report_html import html_page
from pos_host.certification.verdicts import FAILED, NOT_SEEN

Report = Mapping[str, Any]

_NOT_IN_XML = re.compile("[^\\x09\\x0a\\x0d\\x20-\\ud7ff\\ue000-\\ufffd]")
"""What XML 1.0 cannot hold: a terminal's text may have it."""


def write_report(folder: Path, report: Report) -> list[Path]:
    """Write all three, each whole or not at all; gives their paths. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_write(folder / name, make(report)) for name, make in _FORMS.items()]


def junit_xml(report: Report) -> str:
    """JUnit's form: a test case for each rule; what was not seen is skipped."""
    counts, cases = report["counts"], report["rules"]
    suite = ElementTree.Element(
        "testsuite",
        name=f"certify.{report['suite']}",
        tests=str(len(cases)),
        failures=str(counts[FAILED]),
        errors="0",
        skipped=str(counts[NOT_SEEN]),
        timestamp=report["began_at"],
    )
    for rule in cases:
        case = ElementTree.SubElement(suite, "testcase", classname=f"certify.{report['suite']}", name=rule["id"])
        if rule["verdict"] == FAILED:
            failure = ElementTree.SubElement(case, "failure", message=_xml_text(rule["reason"]))
            failure.text = _xml_text(f"{rule['title']}\n{_findings(rule)}\nSource: {rule['source']}")
        elif rule["verdict"] == NOT_SEEN:
            ElementTree.SubElement(case, "skipped", message=_xml_text(rule["reason"]))
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _findings(rule: Mapping[str, Any]) -> str:
    return "\n".join(
        f"{finding['reason']} (message {', '.join(map(str, finding['messages']))})" for finding in rule["findings"]
    )


def _json_text(report: Report) -> str:
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


def _xml_text(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)


def _write(path: Path, text: str) -> Path:
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(text, "utf-8")
    os.replace(temporary, path)
    return path


_FORMS: dict[str, Callable[[Report], str]] = {
    "report.json": _json_text,
    "report.html": html_page,
    "report.xml": junit_xml,
}
