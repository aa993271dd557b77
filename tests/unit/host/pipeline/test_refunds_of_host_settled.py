"""What the host settled is remembered for longer than the batches after it; nothing of it is given back twice."""

from __future__ import annotations

from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import proven
from tests.unit.host.pipeline.terminals import UnionPayTerminal, debit_credit


async def test_a_refund_made_in_a_forgotten_batch_still_counts_after_a_restart() -> None:
    host = HostInProcess()
    async with proven(host):
        terminal = UnionPayTerminal(host)
        await terminal.sign_in()
        sale = await terminal.purchase(10_00)
        await host.office.settle("T0000001", None)
        await terminal.sign_in()
        assert "00" == (await terminal.refund(sale, 6_00)).code
        await terminal.settle(debit_credit((0, 0), (1, 6_00)))
        for _ in range(3):
            await terminal.sign_in()
            await terminal.purchase(1_00)
            await terminal.settle(debit_credit((1, 1_00)))

        again = UnionPayTerminal(host.twin())
        again.stan = terminal.stan
        await again.sign_in()
        assert "64" == (await again.refund(sale, 5_00)).code
        assert "00" == (await again.refund(sale, 4_00)).code
