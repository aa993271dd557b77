"""Failures as GitHub's workflow commands, which show them at the line of the scenario."""

from __future__ import annotations

from pos_terminal.scenarios.results import Failure


def github_error(failure: Failure, title: str) -> str:
    """`::error file=…,line=…,title=…::what was otherwise`, on one line."""
    about = f"file={_property(failure.file)},line={failure.line or 1},title={_property(title)}"
    what = f"{failure.step}: {'; '.join(failure.differences)}"
    return f"::error {about}::{_data(what)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
