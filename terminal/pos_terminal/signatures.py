"""A cardholder's signature as a picture."""

from __future__ import annotations

from pathlib import Path

from pos_terminal.cli_options import UsageError

MOST_BYTES = 999
"""LLL of DE62."""

BLANK_PICTURE = bytes.fromhex("00000100 00000080 00000040 00000040 00000000 FF02")
"""JBIG (ITU-T T.82): a header for one plane of 128 by 64 points, and a stripe with nothing drawn in it."""


def read_picture(path: Path) -> bytes:
    """The bytes of the file; raises UsageError for one that cannot be sent."""
    try:
        picture = path.read_bytes()
    except OSError as error:
        raise UsageError(f"--picture {path}: {error.strerror or 'cannot be read'}") from None
    if not 0 < len(picture) <= MOST_BYTES:
        raise UsageError(f"--picture {path}: must have 1 to {MOST_BYTES} bytes, not {len(picture)}")
    return picture
