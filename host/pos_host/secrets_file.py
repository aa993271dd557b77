"""Secrets kept beside the store: the key of card prints and the admin token, in files of mode 0600."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def read_or_make(path: Path | None, kind: str) -> str:
    """The secret in the file `<store>.<kind>`, made at first use; without a path one that lives in memory only.

    Raises OSError when the file can neither be read nor made.
    """
    if path is None:
        return new_token()
    file = path.with_name(f"{path.name}.{kind}")
    kept = file.read_text("ascii").strip() if file.exists() else ""
    return kept or _make(file)


def new_token() -> str:
    """A bearer token nobody can guess."""
    return secrets.token_urlsafe(24)


def _make(file: Path) -> str:
    """Written aside and renamed, so that a power cut leaves a whole secret or none."""
    secret = new_token()
    aside = file.with_name(f"{file.name}.tmp")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(secret + "\n")
        out.flush()
        os.fsync(out.fileno())
    os.replace(aside, file)
    return secret
