"""What a host reads once it is ready, so that no terminal waits for it."""

import asyncio

from tests.patience import HANGING_S

from pos_host.app import Host
from pos_host.money.products import shipped_products
from pos_host.options import ServeOptions, parse_listen
from pos_specs.test_cards import shipped_test_cards


async def test_the_tables_of_the_first_purchase_are_read_once_the_host_accepts_terminals() -> None:
    tables = (shipped_test_cards, shipped_products)
    for table in tables:
        table.cache_clear()
    host = Host(ServeOptions((parse_listen("127.0.0.1:0=hypercom"),), None, mqtt="off"))

    await host.start()
    at_the_start = [table.cache_info().currsize for table in tables]
    async with asyncio.timeout(HANGING_S):
        while not all(table.cache_info().currsize for table in tables):  # noqa: ASYNC110 - a thread reads them
            await asyncio.sleep(0.001)
    await host.stop()

    assert [0, 0] == at_the_start
