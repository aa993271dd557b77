"""A process that has imported the host once and forks it again and again, so that a start costs milliseconds.

It reads one command a line and answers each with one line: `start {"store": …, "ready_file": …}` with the pid,
`kill` (SIGKILL) and `stop` (SIGTERM) with the exit status, negative for the signal that ended the host.
With `--answer-first` the hosts' journal has a planted bug: it calls `done` before it commits. With `--answer-late` it
is right and slow: it waits between the commit and `done`, so that kills come between the two.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

from pos_host import app, cli
from pos_host.journal import Posting
from pos_host.storage.sqlite import SqliteJournal
from pos_specs.language import open_language
from pos_specs.test_cards import shipped_test_cards

LATE_S = 0.05
"""How long an answer waits after its commit, or with the planted bug the commit after its answer: enough for a test
to see the one and to kill the host before the other."""


class AnsweringFirst(SqliteJournal):
    """The planted bug: answers leave before their commit begins."""

    def _commit(self, postings: list[Posting]) -> list[int | None]:
        firsts: list[int | None] = []
        sequence = self._next
        for posting in postings:
            firsts.append(sequence)
            sequence += len(posting.entries)
        super()._call_back(postings, firsts)
        time.sleep(LATE_S)
        return super()._commit(postings)

    def _call_back(self, postings: list[Posting], firsts: list[int | None]) -> None:
        pass


class AnsweringLate(SqliteJournal):
    """No bug: answers leave a while after their commit ended."""

    def _call_back(self, postings: list[Posting], firsts: list[int | None]) -> None:
        time.sleep(LATE_S)
        super()._call_back(postings, firsts)


def run_host(store: str, ready_file: str) -> None:
    """Be `pos-host serve`, from fork to exit; never returns. Without the command line's own 0.1 s."""
    status = 1
    try:
        cli.serve(
            listen=["127.0.0.1:0=unionpay"],
            store=f"sqlite:///{store}",
            mqtt="off",
            http="off",
            ready_file=Path(ready_file),
            log_level="error",
            log_format="json",
        )
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def end(pid: int, number: signal.Signals) -> int:
    os.kill(pid, number)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main() -> None:
    for option, journal in (("--answer-first", AnsweringFirst), ("--answer-late", AnsweringLate)):
        if option in sys.argv:
            vars(app)["SqliteJournal"] = journal
    open_language("unionpay")
    shipped_test_cards()
    for name in ("uvloop", "pos_host.log_setup"):
        if importlib.util.find_spec(name):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    pid = 0
    for line in sys.stdin:
        verb, _, rest = line.strip().partition(" ")
        if verb == "start":
            pid = os.fork()
            if pid == 0:
                run_host(**json.loads(rest))
            answer = pid
        else:
            answer = end(pid, signal.SIGKILL if verb == "kill" else signal.SIGTERM)
        print(answer, flush=True)


if __name__ == "__main__":
    main()
