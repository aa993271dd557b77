"""Every host of these tests is proven at the end, as the pipeline's are."""

from tests.unit.host.pipeline.conftest import host, hypercom, iso87, logs, terminal, unionpay

__all__ = ["host", "hypercom", "iso87", "logs", "terminal", "unionpay"]
