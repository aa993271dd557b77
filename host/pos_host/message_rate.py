"""How many messages a second come over the wire, so that other work makes way for them."""

from __future__ import annotations

BUSY_MESSAGES_PER_S = 500
"""From this rate on the wire counts as busy: publishing then takes at most a tenth of the loop's time."""


class MessageRate:
    """Messages a second, measured twice a second."""

    def __init__(self) -> None:
        self._messages = 0
        self._at_s = 0.0
        self.per_s = 0.0

    def note(self, messages: int, now_s: float) -> None:
        if self._at_s:
            self.per_s = (messages - self._messages) / max(now_s - self._at_s, 0.001)
        self._messages, self._at_s = messages, now_s

    def busy(self) -> bool:
        """Whether the payment path needs the loop more than the publisher does."""
        return self.per_s > BUSY_MESSAGES_PER_S
