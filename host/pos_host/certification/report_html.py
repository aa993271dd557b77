"""A report as one HTML page that needs nothing else, and that can be printed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from pos_host.certification.verdicts import FAILED, NOT_SEEN, PASSED

WORDS = {PASSED: "passed", FAILED: "FAILED", NOT_SEEN: "not seen"}

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; } h3 { font-size: 1rem; margin: 1.4rem 0 .2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .2rem .6rem; border-bottom: 1px solid #ddd; }
code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.passed { color: #14632a; } .failed { color: #a01212; font-weight: 700; } .not_seen { color: #6b5300; }
.source, .when { color: #555; font-size: .9rem; margin: .1rem 0; } ul { margin: .3rem 0; }
.message { break-inside: avoid-page; border-top: 2px solid #999; margin-top: 1.2rem; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; font-size: .85rem; }
@media print { body { margin: 0; max-width: none; font-size: 11px; } a { color: inherit; text-decoration: none; } }
"""


def html_page(report: Mapping[str, Any]) -> str:
    """The page: counts, every rule, then every message that proves something, masked. All text is escaped."""
    title = f"Certification: {report['title']}"
    counts = ", ".join(f"{report['counts'][verdict]} {words}" for verdict, words in WORDS.items())
    parts = [
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{_text(title)}</title>',
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>',
        f"<h1>{_text(title)}</h1>",
        f"<p><strong>{_text(counts)}</strong> of {len(report['rules'])} rules.</p>",
        f'<p class="when">{_text(report["began_at"])} to {_text(report["ended_at"])}, ended because '
        f"{_text(report['ended_because'])}; {report['messages_seen']} messages; seed {report['seed']}</p>",
        "<h2>Verdicts</h2>",
        _table(report["rules"]),
        "<h2>Rules</h2>",
        *(_rule(rule) for rule in report["rules"]),
        "<h2>Messages</h2>",
        "<p>Card numbers, tracks, PIN blocks and keys are masked. The bytes are written anew from what is shown, a "
        "masked digit as 0, so that MACs do not fit them.</p>",
        *(_message(message) for message in report["messages"]),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def _table(rules: list[Mapping[str, Any]]) -> str:
    rows = "\n".join(
        f'<tr><td>{_verdict(rule)}</td><td><a href="#{_text(rule["id"])}">{_text(rule["title"])}</a></td></tr>'
        for rule in rules
    )
    return f"<table><tr><th>Verdict</th><th>Rule</th></tr>\n{rows}</table>"


def _rule(rule: Mapping[str, Any]) -> str:
    findings = "".join(
        f"<li>{_text(finding['reason'])}: {', '.join(map(_link, finding['messages']))}</li>"
        for finding in rule["findings"]
    )
    proof = f"<ul>{findings}</ul>" if findings else f"<p>{_text(rule['reason'])}</p>"
    return (
        f'<h3 id="{_text(rule["id"])}">{_verdict(rule)}: {_text(rule["title"])}</h3>'
        f'<p class="source"><code>{_text(rule["id"])}</code>; {_text(rule["source"])}</p>{proof}'
    )


def _verdict(rule: Mapping[str, Any]) -> str:
    return f'<span class="{_text(rule["verdict"])}">{WORDS[rule["verdict"]]}</span>'


def _link(number: int) -> str:
    return f'<a href="#m{number}">message {number}</a>'


def _message(message: Mapping[str, Any]) -> str:
    played = f"; played: {', '.join(message['played'])}" if message["played"] else ""
    fault = f" ({message['fault']})" if message["fault"] else ""
    whose = f"{message['merchant_id']}/{message['terminal_id']}"
    return (
        f'<div class="message" id="m{message["number"]}"><h3>Message {message["number"]}: '
        f"{_text(message['function'] or 'not readable')}</h3>"
        f'<p class="when">{_text(message["at"])}; {_text(whose)}; {_text(message["outcome"] + played + fault)}</p>'
        f'<div class="sides">{_side("Request", message["request"])}{_side("Answer", message["answer"])}</div></div>'
    )


def _side(name: str, side: Mapping[str, Any] | None) -> str:
    if side is None:
        return f"<div><strong>{name}</strong>: none, or not readable</div>"
    rows = "".join(
        f"<tr><td>{_text(number)}</td><td>{_text(side['names'].get(number, ''))}</td>"
        f"<td><code>{_text(value)}</code>{_parts(side['parts'].get(number))}</td></tr>"
        for number, value in side["fields"].items()
    )
    return (
        f"<div><strong>{name} {_text(side['mti'])}</strong><table>{rows}</table>"
        f"<p><code>{_text(side['hex'])}</code></p></div>"
    )


def _parts(parts: Any) -> str:
    return f"<br><code>{_text(json.dumps(parts, ensure_ascii=False))}</code>" if parts else ""


def _text(value: object) -> str:
    """Escaped, and control characters of a terminal's text shown as what they are: unknown."""
    return escape("".join(character if character.isprintable() else "\ufffd" for character in str(value)))
