"""The scenarios that come with the package, by name."""

from __future__ import annotations

from pathlib import Path

SHIPPED = Path(__file__).with_name("shipped")
"""Their folder; the top of the repository has a link to it, `scenarios`."""

SUFFIX = ".yaml"


def shipped_names() -> list[str]:
    """What `pos-terminal run` takes for a shipped file: its path in the collection without suffix, in order."""
    return sorted(path.relative_to(SHIPPED).with_suffix("").as_posix() for path in SHIPPED.rglob(f"*{SUFFIX}"))


def shipped_path(name: str) -> Path | None:
    """The shipped file of that name (`settlement/balanced`), or the shipped folder (`settlement`), or None."""
    name = name.rstrip("/")
    if name in shipped_names():
        return SHIPPED / f"{name}{SUFFIX}"
    folders = {folder.name for folder in SHIPPED.iterdir() if folder.is_dir()}
    return SHIPPED / name if name in folders else None


def shipped_title(path: Path) -> str | None:
    """What reports call a shipped file, the same on every machine: `settlement/balanced.yaml`; None for others."""
    return path.relative_to(SHIPPED).as_posix() if path.is_relative_to(SHIPPED) else None
