"""Logging: structlog on standard error, card data masked in the chain before anything is written."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from pos_host.logs import LEVELS
from pos_specs.masking import mask_pan

_DIGITS = re.compile(r"(?<![0-9])[0-9]{13,19}(?![0-9])")
_NOT_CARDS = frozenset({"merchant_id", "timestamp", "level", "event", "logger"})
"""Keys whose digits are ids of ours: a merchant id of 15 digits is no card number."""


def set_up_logging(level: str, form: str | None) -> None:
    """Log at `level` as `json` or `console`; by itself console on a terminal, else JSON."""
    form = form or ("console" if sys.stderr.isatty() else "json")
    renderer = structlog.dev.ConsoleRenderer() if form == "console" else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            name_error,
            mask_cards,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")


def mask_cards(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask every run of 13 to 19 digits in any text of the line, however deep; what cannot be looked into is hidden."""
    for key, value in event.items():
        if key not in _NOT_CARDS:
            event[key] = _masked(value)
    return event


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return _DIGITS.sub(lambda found: mask_pan(found[0]), value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {key: _masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    return f"({type(value).__name__})"


def name_error(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An exception as its type and the places it went through; its text could hold what a peer sent."""
    error = event.pop("exc_info", None)
    if isinstance(error, BaseException):
        places = []
        trace = error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
            trace = trace.tb_next
        event["error"] = type(error).__name__
        event["at"] = places
    return event
