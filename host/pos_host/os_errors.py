"""What the system said of a failure, in words; asyncio's own text repeats addresses and hides the reason."""

from __future__ import annotations

import errno
import os


def why_not_opened(error: OSError) -> str:
    """Why an address cannot be listened on, in one line."""
    if error.errno == errno.EADDRINUSE:
        return "address already in use, perhaps by another host; port 0 takes a free one"
    return in_words(error)


def in_words(error: OSError) -> str:
    """The reason in one line. Errors of name resolution have numbers below zero and words of their own."""
    if error.errno and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or str(error)
