from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import Logs, proven
from tests.unit.host.pipeline.terminals import HypercomTerminal, Iso87Terminal, UnionPayTerminal
from tests.virtual_time import pytest_asyncio_loop_factories as pytest_asyncio_loop_factories

Terminal = UnionPayTerminal | HypercomTerminal | Iso87Terminal


@pytest.fixture
def host() -> HostInProcess:
    """A host on an empty memory journal."""
    return HostInProcess()


@pytest.fixture(autouse=True)
async def logs(host: HostInProcess) -> AsyncIterator[Logs]:
    """The log lines of the test; at its end the host is proven: see `proofs.proven`."""
    async with proven(host) as lines:
        yield lines


@pytest.fixture
def unionpay(host: HostInProcess) -> UnionPayTerminal:
    return UnionPayTerminal(host)


@pytest.fixture
def hypercom(host: HostInProcess) -> HypercomTerminal:
    return HypercomTerminal(host)


@pytest.fixture
def iso87(host: HostInProcess) -> Iso87Terminal:
    return Iso87Terminal(host)


@pytest.fixture(params=["unionpay", "hypercom", "iso87"])
def terminal(request: pytest.FixtureRequest, host: HostInProcess) -> Terminal:
    """One of each kind in turn."""
    kinds = {"unionpay": UnionPayTerminal, "hypercom": HypercomTerminal, "iso87": Iso87Terminal}
    return kinds[request.param](host)
