"""The file that says that a host accepts, and where: for tests, scripts and verbs."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from pathlib import Path
from typing import Any


def write_ready_file(path: Path, ready: dict[str, Any]) -> None:
    """Write atomically with mode 0600, since it holds the token; raises OSError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:  # a file stands where the folder is to be: "File exists" would tell nobody
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
    temporary = path.with_name(f"{path.name}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        json.dump(ready, out)
        out.write("\n")
    os.replace(temporary, path)


def remove_ready_file(path: Path | None) -> None:
    """Take it away, since nobody accepts any more; one that was never there, or cannot be, is no trouble at an end."""
    if path is not None:
        with contextlib.suppress(OSError):
            path.unlink()
