"""The stage of this folder's tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from tests.scenarios.stage import Stage

from pos_terminal.scenarios.private_hosts import PrivateHosts


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """Hosts are processes: one for all tests of a worker costs a second once."""
    with asyncio.Runner() as runner:
        hosts = PrivateHosts()
        yield Stage(runner, hosts)
        runner.run(hosts.__aexit__())
