"""For the conftest.py of folders whose tests live through days of a host in memory: nothing of it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from pos_host.testing.virtual_loop import VirtualLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """A loop whose time jumps; a real one for a test that is marked `real_time`, as it needs threads or sockets."""
    if item.get_closest_marker("real_time") is not None:
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualLoop}
