"""Makes a test's terminals, joined to one acquirer, and hangs them up at its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from pos_specs.language import open_language
from pos_terminal.memory import Memory
from pos_terminal.pin_pad import TEST_TMK, PadSettings
from pos_terminal.testing.simulated_terminal import Run, SimulatedTerminal

MERCHANT_ID = "898000000000001"

TIMEOUT_S = 2.0
"""An acquirer in the same process answers in milliseconds; a test that waits for a time-out sets a shorter one."""


class TerminalFactory:
    """Terminals of one acquirer. `addresses` are where it listens, by dialect; the first is what a terminal speaks that
    is told nothing else. `uses_mac` False: the acquirer has no MACs."""

    def __init__(
        self,
        run: Run,
        addresses: Mapping[str, tuple[str, int]],
        clock: Callable[[], datetime],
        *,
        uses_mac: bool = True,
    ) -> None:
        self._run = run
        self._addresses = addresses
        self._clock = clock
        self._uses_mac = uses_mac
        self._made: list[SimulatedTerminal] = []

    def __call__(
        self,
        terminal_id: str = "T0000001",
        *,
        merchant_id: str = MERCHANT_ID,
        dialect: str | None = None,
        timeout_s: float = TIMEOUT_S,
        tmk: str | None = None,
        pad: PadSettings | None = None,
    ) -> SimulatedTerminal:
        """A terminal fresh from its box. `tmk` is its master key in hex, by default the shipped test key; `pad` sets
        all of its PIN pad. Raises KeyError for a dialect that the acquirer does not listen for."""
        name = dialect or next(iter(self._addresses))
        if name not in self._addresses:
            raise KeyError(f"the acquirer does not speak {name}; it speaks {', '.join(self._addresses)}")
        settings = pad or PadSettings(tmk=bytes.fromhex(tmk) if tmk else TEST_TMK, uses_mac=self._uses_mac)
        made = SimulatedTerminal(
            self._run,
            self._addresses[name],
            open_language(name),
            Memory(name, terminal_id, merchant_id),
            self._clock,
            timeout_s=timeout_s,
            pad=settings,
        )
        self._made.append(made)
        return made

    def close(self) -> None:
        """Hang all of them up."""
        for terminal in self._made:
            terminal.hang_up()
