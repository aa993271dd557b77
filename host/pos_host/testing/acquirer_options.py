"""What an acquirer for tests is started with: read from the marker `pos_acquirer`, every mistake told by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pos_host.security.mac_mode import MAC_MODES, MacMode
from pos_host.settlement.policy import Policy, PolicyError, load_policy, policy_over, shipped_policy
from pos_specs.errors import DialectError
from pos_specs.language import open_language

START = "2026-03-02T12:00:00+08:00"
"""The time at which every test begins unless it says otherwise: noon, eleven hours before the shipped cut-off."""

ENROL = ("open", "strict")

KNOWN = ("dialect", "enrol", "mac", "policy", "rules", "clock", "http", "keys")
"""Everything that the marker can say."""


class OptionError(ValueError):
    """An option of the marker is wrong; the text names it and says what it must be."""


@dataclass(frozen=True)
class AcquirerOptions:
    """The options, checked. `rules` are documents, or rule files by path or by the name of a shipped one."""

    dialects: tuple[str, ...] = ("unionpay",)
    enrol: str = "open"
    mac: MacMode = "verify"
    policy: Policy | None = None
    rules: tuple[Mapping[str, Any] | str, ...] = ()
    start_ms: int = 0
    http: bool = False
    keys: Path | None = None


def read_options(given: Mapping[str, Any]) -> AcquirerOptions:
    """The options of a marker; raises OptionError."""
    unknown = [name for name in given if name not in KNOWN]
    if "scope" in unknown:
        raise OptionError("scope: is not the marker's; use the fixture pos_acquirer_session for one host in all tests")
    if unknown:
        raise OptionError(f"{unknown[0]}: is not known here; there are {', '.join(KNOWN)}")
    enrol, mac = given.get("enrol", "open"), given.get("mac", "verify")
    if enrol not in ENROL:
        raise OptionError(f"enrol: is {enrol!r}, must be one of {', '.join(ENROL)}")
    if mac not in MAC_MODES:
        raise OptionError(f"mac: is {mac!r}, must be one of {', '.join(MAC_MODES)}")
    keys = given.get("keys")
    return AcquirerOptions(
        _dialects(given.get("dialect", "unionpay")),
        enrol,
        mac,
        _policy(given.get("policy")),
        _rules(given.get("rules", ())),
        _start_ms(given.get("clock", START)),
        bool(given.get("http", False)),
        None if keys is None else Path(keys),
    )


def _dialects(given: Any) -> tuple[str, ...]:
    names = (given,) if isinstance(given, str) else tuple(given)
    if not names:
        raise OptionError("dialect: names none")
    for name in names:
        try:
            open_language(name)
        except DialectError as error:
            raise OptionError(f"dialect: {error}") from None
    return names


def _policy(given: Any) -> Policy:
    """The shipped policy, one from a file, or the shipped one with some keys changed."""
    try:
        if given is None:
            return shipped_policy()
        return policy_over(shipped_policy(), given, "policy") if isinstance(given, Mapping) else load_policy(given)
    except PolicyError as error:
        raise OptionError(str(error)) from None


def _rules(given: Any) -> tuple[Mapping[str, Any] | str, ...]:
    if isinstance(given, (str, Path)):
        return (str(given),)
    if isinstance(given, Mapping) or not isinstance(given, Sequence):
        raise OptionError("rules: must be a rule file, or a list of rules")
    return tuple(rule if isinstance(rule, Mapping) else str(rule) for rule in given)


def _start_ms(given: Any) -> int:
    try:
        moment = given if isinstance(given, datetime) else datetime.fromisoformat(given)
    except (TypeError, ValueError):
        raise OptionError(f"clock: {given!r} is not an ISO 8601 time") from None
    if moment.tzinfo is None:
        raise OptionError(f"clock: the time needs an offset, such as {START}")
    return int(moment.timestamp() * 1000)
