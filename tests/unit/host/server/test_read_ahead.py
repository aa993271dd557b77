"""What a host reads once it is ready, so that no terminal waits for it."""

import asyncio

from pos_host.app import Host
from pos_host.money.products import shipped_products
from pos_host.options import ServeOptions, parse_listen
from pos_specs.test_cards import shipped_test_cards


async def test_the_tables_of_the_first_purchase_are_read_after_the_start_and_before_the_purchase() -> None:
    for table in (shipped_test_cards, shipped_products):
        table.cache_clear()
    host = Host(ServeOptions((parse_listen("127.0.0.1:0=hypercom"),), None, mqtt="off"))

    await host.start()
    at_the_start = [shipped_test_cards.cache_info().currsize, shipped_products.cache_info().currsize]
    await asyncio.sleep(0)
    afterwards = [shipped_test_cards.cache_info().currsize, shipped_products.cache_info().currsize]
    await host.stop()

    assert ([0, 0], [1, 1]) == (at_the_start, afterwards)
