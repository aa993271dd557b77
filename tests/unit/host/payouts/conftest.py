"""Every host of these tests is proven at the end, as the pipeline's are."""

from tests.unit.host.pipeline.conftest import host, hypercom, iso87, logs, terminal, unionpay
from tests.virtual_time import pytest_asyncio_loop_factories as pytest_asyncio_loop_factories

__all__ = ["host", "hypercom", "iso87", "logs", "terminal", "unionpay"]
