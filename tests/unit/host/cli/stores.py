"""A store as a few days leave it: three dialects, settled and unsettled batches, a flag."""

from __future__ import annotations

import asyncio
from pathlib import Path

from structlog.testing import capture_logs
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import (
    UNIONPAY_CARD,
    HypercomTerminal,
    Iso87Terminal,
    UnionPayTerminal,
    debit_credit,
)

from pos_host.storage.sqlite import SqliteJournal
from pos_specs.totals import Side


def make_store(path: Path) -> None:
    """Live through those days on the SQLite store at `path`."""
    with capture_logs():
        asyncio.run(_live(path))


async def _live(path: Path) -> None:
    host = HostInProcess(SqliteJournal(path))
    await _unionpay_days(UnionPayTerminal(host, "T0000001"))
    await _hypercom_days(HypercomTerminal(host, "H0000001"))
    await _iso87_days(Iso87Terminal(host, "I0000001"))
    await UnionPayTerminal(host, "T0000002").purchase(77_00)
    await host.office.advance_clock("PT5H")
    await host.durable()
    await host.journal.close()


async def _unionpay_days(terminal: UnionPayTerminal) -> None:
    """Balanced; balanced after an upload; out of balance with a late record; open with a void and a refund."""
    await terminal.sign_in()
    await terminal.purchase(10_00)
    await terminal.settle(debit_credit((1, 10_00)))
    terminal.batch = "000002"
    sale = await terminal.purchase(20_00)
    await terminal.settle(debit_credit((2, 40_00)))
    await terminal.upload((sale.stan, UNIONPAY_CARD, 20_00))
    await terminal.end_upload(1)
    terminal.batch = "000003"
    kept, lost = await terminal.purchase(30_00), await terminal.purchase(31_00)
    await terminal.settle(debit_credit((1, 30_00)))
    await terminal.upload((kept.stan, UNIONPAY_CARD, 30_00))
    await terminal.end_upload(1)
    await terminal.upload((lost.stan, UNIONPAY_CARD, 32_00))
    terminal.batch = "000004"
    sale = await terminal.purchase(40_00)
    await terminal.void(await terminal.purchase(41_00))
    await terminal.refund(sale, 4_00)
    await terminal.reverse((await terminal.purchase(42_00)).request)


async def _hypercom_days(terminal: HypercomTerminal) -> None:
    """Out of balance; uploading, with the next batch open."""
    await terminal.purchase(10_00)
    await terminal.settle({"sales": Side(2, 20_00)})
    await terminal.settle({"sales": Side(2, 20_00)}, trailer=True)
    terminal.batch = "000002"
    sale = await terminal.purchase(50_00)
    await terminal.settle({"sales": Side(2, 99_00)})
    await terminal.upload(sale)
    await terminal.purchase(51_00)


async def _iso87_days(terminal: Iso87Terminal) -> None:
    await terminal.purchase(10_00)
    await terminal.settle({"debits": Side(1, 10_00)})
    await terminal.purchase(11_00)
    await terminal.settle({"debits": Side(1, 12_00)})
