"""A journal in memory that dies with its host and leaves what was committed to the next one."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from pos_host.storage.memory import MemoryJournal


class CrashPoint(Enum):
    """Where in a commit the host dies."""

    BEFORE_COMMIT = "before_commit"
    AFTER_COMMIT = "after_commit"


class CrashingJournal(MemoryJournal):
    """`fail_next` lets commits fail, `crash_next` makes the next one the last: nothing of it was kept, or all
    of it but nobody was told. `crashed` is called then, and must end the host."""

    def __init__(self, *, commit_s: float = 0.0, crashed: Callable[[], None] = lambda: None) -> None:
        super().__init__(commit_s=commit_s)
        self.crash_next: CrashPoint | None = None
        self.dead = False
        self.commits = 0
        self.failed = 0
        self.crashed = crashed

    def die(self) -> None:
        """Commit nothing more; what waits was never posted."""
        self.dead = True
        self._waiting.clear()

    def successor(self) -> CrashingJournal:
        """What the next host finds: everything committed and nothing else."""
        journal = CrashingJournal(commit_s=self._commit_s, crashed=self.crashed)
        journal.entries = list(self.entries)
        journal.rows = {table: dict(rows) for table, rows in self.rows.items()}
        journal._marks = dict(self._marks)
        journal.commits, journal.failed = self.commits, self.failed
        return journal

    def _commit(self) -> None:
        if self.dead:
            return
        point, self.crash_next = self.crash_next, None
        if point is not None:
            if point is CrashPoint.AFTER_COMMIT:
                self._keep_untold()
            self.die()
            self.crashed()
            return
        self.commits += 1
        self.failed += self.fail_next > 0
        super()._commit()

    def _keep_untold(self) -> None:
        for posting in self._waiting:
            self._keep(posting)
