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

LATEST_START_MS = 221_845_392_000_000
"""9000-01-01T00:00:00Z: behind it a test has a thousand years before the calendar ends."""

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
    keys, http = given.get("keys"), given.get("http", False)
    if keys is not None and not isinstance(keys, str | Path):
        raise OptionError("keys: must be the path of a key file")
    if not isinstance(http, bool):
        raise OptionError("http: must be True or False")
    return AcquirerOptions(
        _dialects(given.get("dialect", "unionpay")),
        enrol,
        mac,
        _policy(given.get("policy")),
        _rules(given.get("rules", ())),
        _start_ms(given.get("clock", START)),
        http,
        None if keys is None else Path(keys),
    )


def _dialects(given: Any) -> tuple[str, ...]:
    names = tuple(dict.fromkeys([given] if isinstance(given, str) else given)) if _is_texts(given) else ()
    if not names:
        raise OptionError("dialect: must be the name of a dialect, or a list of some")
    for name in names:
        try:
            open_language(name)
        except DialectError as error:
            raise OptionError(f"dialect: {error}") from None
    return names


def _is_texts(given: Any) -> bool:
    return isinstance(given, str | list | tuple) and all(isinstance(name, str) for name in given)


def _policy(given: Any) -> Policy:
    """The shipped policy, one from a file, or the shipped one with some keys changed."""
    if not (given is None or isinstance(given, str | Path | Mapping)):
        raise OptionError("policy: must be the path of a policy file, or keys of a policy")
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
    start_ms = int(moment.timestamp() * 1000)
    if not 0 < start_ms < LATEST_START_MS:
        raise OptionError("clock: must be a time after 1970 and before 9000")
    return start_ms
