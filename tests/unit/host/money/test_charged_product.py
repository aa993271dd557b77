"""What an entry says its fee is taken for: the table's answer, remembered by no more than what decides it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
from tests.unit.host.money.test_products import purchase, scanned
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import UnionPayTerminal

from pos_host.money.charged_product import ANSWERS_KEPT, ChargedProducts
from pos_host.money.products import read_products, shipped_products
from pos_host.transaction.request import CardReader, Request
from pos_specs.language import open_language
from pos_specs.masking import luhn_digit
from pos_specs.message import Message
from pos_specs.test_cards import shipped_test_cards

UNIONPAY = open_language("unionpay")
CARDS = CardReader(b"key of the tests")
ENTRY_MODES = ("012", "021", "051", "072", "980")
PREFIXES = ("62284839", "62122683", "62345611", "41111197", "55555528", "35281234", "99999999")


def request_of(message: Message) -> Request:
    message.fields.update({11: "000001", 41: "T0000001", 42: "898310000000001", 49: "156"})
    message.fields.setdefault(4, "000000001000")
    route = UNIONPAY.route(message)
    assert route is not None
    return Request(UNIONPAY, route, message, CARDS)


def by_the_table(message: Message) -> str:
    table = shipped_products()
    payment = table.payment_of(UNIONPAY, message)
    product = table.product_of(payment)
    return f"{product}/{payment.entry}" if payment.entry else product


def every_kind() -> list[Message]:
    pans = [prefix + "0000000" + luhn_digit(prefix + "0000000") for prefix in PREFIXES]
    cards = [
        purchase(pan, mode) for pan in (*pans, *shipped_test_cards()) for mode in ("012", "021", "051", "072", "980")
    ]
    return cards + [scanned(code) for code in ("13000000", "28000000", "62000000", "99000000")]


def test_the_remembered_answer_is_the_tables_own() -> None:
    charged = ChargedProducts(shipped_products())
    messages = every_kind()

    for _ in range(2):
        assert [by_the_table(message) for message in messages] == [charged.of(request_of(m)) for m in messages]


@pytest.mark.parametrize("modes", [ANSWERS_KEPT // 8, ANSWERS_KEPT * 2])
def test_a_terminal_that_sends_ever_new_entry_modes_does_not_fill_the_memory(modes: int) -> None:
    charged = ChargedProducts(shipped_products())
    for number in range(modes):
        charged.of(request_of(purchase("4111119700000000", f"{number:04X}")))

    assert min(modes, ANSWERS_KEPT) >= len(charged._known)


async def test_an_acquirers_own_table_decides_what_its_sales_are_charged_as(tmp_path: Path) -> None:
    shipped = resources.files("pos_host.money") / "bin_products.toml"
    own = tmp_path / "products.toml"
    own.write_text(shipped.read_text("utf-8").replace('unknown = "credit"', 'unknown = "debit"'), "utf-8")
    host, pan = HostInProcess(), "9999999" + "00000000" + luhn_digit("9999999" + "00000000")
    terminal = UnionPayTerminal(host)
    await terminal.purchase(10_00, pan)
    host.registry.charge_by(ChargedProducts(read_products(own)))
    await terminal.purchase(10_00, pan)
    await UnionPayTerminal(host, "T0000002").purchase(10_00, pan)

    products = [stored.entry.product for stored in host.memory.entries if stored.entry.kind == "purchase"]
    assert ["credit/keyed", "debit/keyed", "debit/keyed"] == products
