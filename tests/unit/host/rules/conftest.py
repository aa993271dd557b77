from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import Logs, proven
from tests.unit.host.pipeline.terminals import HypercomTerminal, Iso87Terminal, UnionPayTerminal
from tests.virtual_time import pytest_asyncio_loop_factories as pytest_asyncio_loop_factories

from pos_host.rules.rulebook import Rulebook


@pytest.fixture
def host() -> HostInProcess:
    """A host on an empty memory journal."""
    return HostInProcess()


@pytest.fixture
async def logs(host: HostInProcess) -> AsyncIterator[Logs]:
    """The log lines of the test. At its end, the rules cleared, books and repeated answers are proven."""
    async with proven(host) as lines:
        yield lines
        host.parts.rulebook.clear()


@pytest.fixture
def rules(host: HostInProcess) -> Rulebook:
    return host.parts.rulebook


@pytest.fixture
def unionpay(host: HostInProcess, logs: Logs) -> UnionPayTerminal:
    return UnionPayTerminal(host)


@pytest.fixture
def hypercom(host: HostInProcess, logs: Logs) -> HypercomTerminal:
    return HypercomTerminal(host)


@pytest.fixture
def iso87(host: HostInProcess, logs: Logs) -> Iso87Terminal:
    return Iso87Terminal(host)
