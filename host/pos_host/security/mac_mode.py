"""What `--mac` chooses: how the host deals with the MACs of its terminals."""

from __future__ import annotations

from typing import Literal

MacMode = Literal["off", "verify", "require"]
MAC_MODES = ("off", "verify", "require")
