"""The settlement policy: when a business day ends, and when a batch counts as forgotten."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import time
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pos_host.settlement.durations import DurationError, duration_ms, duration_text
from pos_specs.errors import why_unreadable

_LOCAL_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?")

MOST_AMOUNT_MINOR = 999_999_999_999
"""Twelve digits: the most that DE4 can carry."""

MOST_PERCENT = 1_000
"""A completion of ten times what was authorised is a typing error in the policy."""

MOST_TRANSACTIONS = 999_999
"""Six digits: a batch cannot hold more, since DE11 (STAN) would repeat."""


AUTO_SETTLE_MODES = ("on", "dry_run")
BLOCK_SALES_WHEN = ("never", "overdue", "forgotten")


class PolicyError(Exception):
    """A settlement file is wrong; `file` and `key` say where."""

    def __init__(self, file: str, key: str, reason: str) -> None:
        super().__init__(f"{file}: {key}: {reason}" if key else f"{file}: {reason}")
        self.file = file
        self.key = key
        self.reason = reason


@dataclass(frozen=True)
class Policy:
    """What a policy file says; None stands for "off"."""

    cutoff: time
    time_zone: ZoneInfo
    remind_before_ms: int
    grace_ms: int
    forgotten_after_ms: int
    max_age_ms: int | None
    max_transactions: int | None
    max_amount_minor: int | None
    min_amount_minor: int | None
    silent_after_ms: int | None
    auth_expires_ms: int
    completion_percent: int
    auto_settle: time | None
    auto_settle_mode: str
    block_sales_when: str
    ask_sign_in: bool


def load_policy(path: str | Path | None) -> Policy:
    """The policy in the TOML file at `path` over the shipped one, or the shipped one for None.

    Raises PolicyError naming file and key.
    """
    shipped = resources.files("pos_host.settlement") / "default_policy.toml"
    if path is None:
        return _policy(shipped.name, read_toml(shipped), {})
    own = Path(path)
    return _policy(own.name, read_toml(own), read_toml(shipped))


@lru_cache(maxsize=1)
def shipped_policy() -> Policy:
    """The policy of a host that was given none."""
    return load_policy(None)


def policy_over(above: Policy, values: Mapping[str, Any], where: str) -> Policy:
    """`above` with the keys of `values` changed, which are written as in a policy file; raises PolicyError naming
    `where` and the key."""
    changes: dict[str, Any] = {}
    for key, value in values.items():
        if key not in _READ:
            raise PolicyError(where, key, f"is not known here; a policy has {', '.join(_READ)}")
        name, read = _READ[key]
        try:
            changes[name] = read(value)
        except ValueError as error:
            raise PolicyError(where, key, str(error)) from None
    policy = replace(above, **changes)
    _check(where, policy)
    return policy


def policy_values(policy: Policy) -> dict[str, str | int]:
    """Every key of a policy file with the value that gives this policy."""
    return {key: _written(name, getattr(policy, name)) for key, (name, _) in _READ.items()}


def _written(name: str, value: object) -> str | int:
    """A field's value as a policy file has it."""
    if value is None or isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, time):
        return f"{value:%H:%M:%S}" if value.second else f"{value:%H:%M}"
    if isinstance(value, ZoneInfo):
        return value.key
    if isinstance(value, int):
        return duration_text(value) if name.endswith("_ms") else value
    return str(value)


def read_toml(path: Path | Traversable) -> dict[str, Any]:
    """The table in the TOML file at `path`; raises PolicyError naming the file."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(str(path), "", why_unreadable(error)) from None
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(str(path), "", f"not TOML: {error}") from None


def _policy(file: str, table: dict[str, Any], defaults: dict[str, Any]) -> Policy:
    for key in table:
        if key not in _READ:
            raise PolicyError(file, key, f"is not known here; a policy has {', '.join(_READ)}")
    values: dict[str, Any] = {}
    for key, (name, read) in _READ.items():
        try:
            values[name] = read((defaults | table)[key])
        except ValueError as error:
            raise PolicyError(file, key, str(error)) from None
    policy = Policy(**values)
    _check(file, policy)
    return policy


def _check(file: str, policy: Policy) -> None:
    """Refuse values that are right one by one but contradict each other."""
    if policy.forgotten_after_ms < policy.grace_ms:
        raise PolicyError(file, "forgotten_after", "must not be shorter than grace: overdue comes before forgotten")
    low, high = policy.min_amount_minor, policy.max_amount_minor
    if low is not None and high is not None and low > high:
        raise PolicyError(file, "min_amount_minor", "must not be above max_amount_minor")


def _local_time(value: object) -> time:
    if isinstance(value, time):
        return value
    if isinstance(value, str) and _LOCAL_TIME.fullmatch(value):
        return time.fromisoformat(value)
    raise ValueError(f'is {value!r}, must be a local time such as "23:00"')


def _time_zone(value: object) -> ZoneInfo:
    try:
        if isinstance(value, str) and value:
            return ZoneInfo(value)
    except (KeyError, ValueError, OSError):  # not found; not a name; a folder of the database
        pass
    raise ValueError(f'is {value!r}, must be an IANA time zone such as "Asia/Shanghai"')


def _duration(value: object) -> int:
    if not isinstance(value, str):
        raise DurationError(f'is {value!r}, must be a duration such as "PT30M"')
    return duration_ms(value)


def _longer_than_nothing(value: object) -> int:
    milliseconds = _duration(value)
    if milliseconds == 0:
        raise DurationError('must be longer than nothing, or "off"')
    return milliseconds


def _some_time(value: object) -> int:
    milliseconds = _duration(value)
    if milliseconds == 0:
        raise DurationError("must be longer than nothing")
    return milliseconds


def _whole_number(low: int, high: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise ValueError(f'is {value!r}, must be a whole number from {low} to {high}, or "off"')

    return read


def _percent(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_PERCENT:
        return value
    raise ValueError(f"is {value!r}, must be a whole number from 1 to {MOST_PERCENT}")


def _or_off(read: Callable[[object], int]) -> Callable[[object], int | None]:
    return lambda value: None if value == "off" else read(value)


def _auto_settle(value: object) -> time | None:
    if value == "off":
        return None
    try:
        return _local_time(value)
    except ValueError as error:
        raise ValueError(f'{error}, or "off"') from None


def _on_or_off(value: object) -> bool:
    if value in ("on", "off"):
        return value == "on"
    raise ValueError(f'is {value!r}, must be "on" or "off"')


def _one_of(*words: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if isinstance(value, str) and value in words:
            return value
        raise ValueError(f"is {value!r}, must be one of {', '.join(words)}")

    return read


_READ: dict[str, tuple[str, Callable[[object], object]]] = {
    "cutoff": ("cutoff", _local_time),
    "time_zone": ("time_zone", _time_zone),
    "remind_before": ("remind_before_ms", _duration),
    "grace": ("grace_ms", _duration),
    "forgotten_after": ("forgotten_after_ms", _duration),
    "max_age": ("max_age_ms", _or_off(_longer_than_nothing)),
    "max_transactions": ("max_transactions", _or_off(_whole_number(1, MOST_TRANSACTIONS))),
    "max_amount_minor": ("max_amount_minor", _or_off(_whole_number(1, MOST_AMOUNT_MINOR))),
    "min_amount_minor": ("min_amount_minor", _or_off(_whole_number(0, MOST_AMOUNT_MINOR))),
    "silent_after": ("silent_after_ms", _or_off(_longer_than_nothing)),
    "auth_expires": ("auth_expires_ms", _some_time),
    "completion_percent": ("completion_percent", _percent),
    "auto_settle": ("auto_settle", _auto_settle),
    "auto_settle_mode": ("auto_settle_mode", _one_of(*AUTO_SETTLE_MODES)),
    "block_sales_when": ("block_sales_when", _one_of(*BLOCK_SALES_WHEN)),
    "ask_sign_in": ("ask_sign_in", _on_or_off),
}
"""Key of the file → the Policy's field and how its value is read (ValueError says what is wrong)."""
