"""The file that says that a host accepts, and where: for tests, scripts and verbs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write_ready_file(path: Path, ready: dict[str, Any]) -> None:
    """Write atomically with mode 0600, since it holds the token."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        json.dump(ready, out)
        out.write("\n")
    os.replace(temporary, path)
