"""A terminal's memory on disk: one JSON file, replaced as a whole, so that a power cut leaves old or new.

The file holds card numbers in clear, because a batch upload must send them; the simulated terminal works
with test cards only. It is readable by its owner alone (mode 0600) and never printed. Working keys stand in it
sealed, under a key of their own in the file beside it (`FILE.key`, mode 0600), made when the first keys come.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pos_terminal.memory import Memory, MemoryDamaged, memory_from, memory_table

if TYPE_CHECKING:
    from pos_specs.security.keys import WorkingKeys

MODE = 0o600

SEALED_KEYS = "sealed_keys"
"""The entry of the file that holds the working keys, as hex."""


class MemoryInUse(Exception):
    """Another process works with this memory."""


class MemoryFile:
    """The file at `path`. As a context manager it keeps other processes out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None
        self._sealed: tuple[WorkingKeys, str] | None = None

    def __enter__(self) -> MemoryFile:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(f"{self.path}.lock", os.O_CREAT | os.O_RDWR, MODE)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise MemoryInUse(f"{self.path} is in use by another terminal process") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def load(self, dialect: str, terminal_id: str, merchant_id: str) -> Memory:
        """The memory in the file, a new one when there is no file.

        Raises MemoryDamaged when it cannot be read or belongs to another terminal. Keys that do not open any
        more are forgotten: the terminal then signs in before it trades.
        """
        if not self.path.exists():
            return Memory(dialect, terminal_id, merchant_id)
        try:
            table = json.loads(self.path.read_text("utf-8"))
            sealed = table.pop(SEALED_KEYS, "") if isinstance(table, dict) else ""
            memory = memory_from(table)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise MemoryDamaged(f"{self.path}: not JSON ({type(error).__name__})") from None
        except MemoryDamaged as error:
            raise MemoryDamaged(f"{self.path}: {error}") from None
        if (memory.dialect, memory.terminal_id, memory.merchant_id) != (dialect, terminal_id, merchant_id):
            owner = f"{memory.dialect} terminal {memory.terminal_id} of merchant {memory.merchant_id}"
            raise MemoryDamaged(f"{self.path}: is the memory of {owner}")
        if sealed:
            self._open_keys(memory, sealed)
        return memory

    def save(self, memory: Memory) -> None:
        """Replace the file; when this returns, the memory survives a power cut."""
        table: dict[str, Any] = memory_table(memory)
        if memory.keys is not None:
            table[SEALED_KEYS] = self._seal(memory, memory.keys)
        text = json.dumps(table, separators=(",", ":"))
        fresh = self.path.with_name(f"{self.path.name}.new")
        handle = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, MODE)
        try:
            os.fchmod(handle, MODE)
            _write_all(handle, text.encode("utf-8"))
            os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(fresh, self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _seal(self, memory: Memory, keys: WorkingKeys) -> str:
        """The keys sealed; the same keys stay as they were sealed the first time."""
        if self._sealed is None or self._sealed[0] is not keys:
            from pos_terminal.sealed_keys import seal_keys

            self._sealed = (keys, seal_keys(self._key_file, keys, _identity(memory)))
        return self._sealed[1]

    def _open_keys(self, memory: Memory, sealed: str) -> None:
        from pos_terminal.sealed_keys import open_keys

        memory.keys = open_keys(self._key_file, sealed, _identity(memory))
        if memory.keys is None:
            memory.must_sign_in = True
        else:
            self._sealed = (memory.keys, sealed)

    @property
    def _key_file(self) -> Path:
        return self.path.with_name(f"{self.path.name}.key")


def _identity(memory: Memory) -> str:
    return f"{memory.merchant_id}/{memory.terminal_id}"


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]
