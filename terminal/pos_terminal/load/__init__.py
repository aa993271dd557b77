"""Load: many terminals fire purchases from one light thread, in closed loop or at a given rate."""

from __future__ import annotations

from pos_terminal.load.driver import Target, run_load
from pos_terminal.load.gun import CannotFire
from pos_terminal.load.report import LoadReport

__all__ = ["CannotFire", "LoadReport", "Target", "run_load"]
