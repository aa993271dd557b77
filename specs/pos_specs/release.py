"""Which release of pos-host is installed."""

from __future__ import annotations


def release() -> str:
    """The version of the installed distribution, like "0.1.0"."""
    from importlib.metadata import version  # a host that starts has no use for it

    return version("pos-host")
