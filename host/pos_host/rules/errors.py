"""What can be wrong with a rule."""

from __future__ import annotations

from pos_specs.yaml_lines import DocumentError


class RulesError(DocumentError):
    """A rule cannot be taken: `FILE:LINE: rules[2].when.amount: what is wrong`, its author's fault."""


class RuleFailed(Exception):
    """A rule cannot act on this answer; the text says why, and never repeats an element's content."""
