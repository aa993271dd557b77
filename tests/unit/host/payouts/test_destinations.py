"""Which account a payout goes to: each product to its own where rules say so, and it adds up all the same."""

from __future__ import annotations

import json
from datetime import date
from typing import Any, NamedTuple

import pytest
from tests.unit.host.payouts.test_payout_proof import texts
from tests.unit.host.payouts.test_payouts import only_payout, until
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import verified
from tests.unit.host.pipeline.terminals import VISA_CARD, UnionPayTerminal

from pos_host.journal import StoredEntry
from pos_host.ledger.merchant_rows import PayoutRow
from pos_host.merchants.accounts import trial_payouts
from pos_host.merchants.accounts.trial_payouts import goes_to
from pos_host.money.destination import Destination, Share, destination_of

DAY = date(2026, 3, 3)


class Account(NamedTuple):
    account_id: str
    masked: str
    hold_reasons: tuple[str, ...] = ()


class ByProduct:
    """Accounts by product; "1" for every other."""

    def __init__(self, **accounts: Account) -> None:
        self._accounts = accounts

    def payout_account(self, merchant_id: str, product: str, day: Any, amount_minor: int) -> Account:
        return self._accounts.get(product, Account("1", "****0001"))


QR = ByProduct(cloud_quickpass=Account("2", "****0002"))


def payout(*nets: tuple[str, int]) -> PayoutRow:
    lines = [{"product": name, "sales": 1, "captured_minor": net, "fees_minor": 0} for name, net in nets]
    total = sum(net for _, net in nets)
    return PayoutRow(
        *(100_001, 1, "M", "pending", "156", "2026-03-02", "2026-03-03", 0),
        *(total, 0, 0, 0, total, "", 0, "[]", json.dumps(lines)),
    )


def test_one_account_for_all_products_gets_the_whole_payout() -> None:
    assert Destination("1", "****0001") == destination_of(payout(("credit", 700), ("debit", 300)), DAY, QR)


def test_each_product_goes_to_the_account_its_rules_name() -> None:
    found = destination_of(payout(("credit", 700), ("cloud_quickpass", 900), ("debit", 300)), DAY, QR)

    shares = (Share("1", "****0001", 1000), Share("2", "****0002", 900))
    assert Destination("1", "****0001", (), ("1", "2", "1"), shares) == found


def test_an_account_that_would_get_less_than_nothing_gets_nothing() -> None:
    found = destination_of(payout(("credit", 700), ("cloud_quickpass", -200)), DAY, QR)

    assert Destination("1", "****0001") == found


def test_a_payout_is_held_as_a_whole_where_one_of_its_accounts_cannot_be_paid() -> None:
    accounts = ByProduct(cloud_quickpass=Account("", "", ("account_frozen",)))
    found = destination_of(payout(("credit", 700), ("cloud_quickpass", 900)), DAY, accounts)

    assert Destination(hold_reasons=("account_frozen",)) == found


def test_what_is_owed_asks_for_no_account() -> None:
    accounts = ByProduct(credit=Account("", "", ("account_frozen",)))

    assert Destination() == destination_of(payout(("credit", -700)), DAY, accounts)


async def made_to_two(host: HostInProcess) -> PayoutRow:
    terminal = UnionPayTerminal(host)
    await terminal.purchase(1000_00, VISA_CARD)
    await terminal.purchase(1000_00, f22="072")
    await host.office.settle(terminal.ids[41], None)
    host.parts.payouts.accounts = QR
    await until(host, "03 09:01")
    return only_payout(host)


async def test_a_mixed_batch_is_paid_to_two_accounts_and_adds_up(host: HostInProcess) -> None:
    row = await made_to_two(host)

    told = [json.loads(item.entry.detail) for item in host.memory.entries if '"payout.made"' in item.entry.detail]
    lines = [(line["product"], line["account_id"]) for line in json.loads(row.lines)]
    assert ("made", [("credit", "1"), ("cloud_quickpass", "2")]) == (row.state, lines)
    assert [("2", 996_20), ("1", 994_00)] == sorted(
        ((share["account_id"], share["net_minor"]) for share in told[0]["shares"]), reverse=True
    )
    assert 0 == verified(host)["differences"]


async def test_sales_that_try_an_account_are_those_that_were_paid_to_it(host: HostInProcess) -> None:
    row = await made_to_two(host)

    assert [1, 1, 0] == [trial_payouts.tests_settled([row], account_id, 0) for account_id in ("1", "2", "3")]
    assert [True, True, False] == [goes_to(row, account_id) for account_id in ("1", "2", "3")]


@pytest.mark.parametrize(
    ("altered", "text"),
    [
        ('"net_minor": 99620}', "its shares are not what its lines make"),
        ('"account_id": "2", "account": "****0002"', "its shares are not what its lines make"),
        ('"captured_minor": 100000, "refunds": 0, "refunded_minor": 0, "fees_minor": 380', "not those of its batch"),
    ],
)
async def test_a_share_that_was_altered_is_named(altered: str, text: str) -> None:
    host = HostInProcess()
    await made_to_two(host)
    for place, (sequence, entry) in enumerate(host.memory.entries):
        if '"payout.made"' in entry.detail:
            assert altered in entry.detail
            detail = entry.detail.replace(altered, altered.replace("2", "3").replace("38", "39"))
            host.memory.entries[place] = StoredEntry(sequence, entry._replace(detail=detail))

    assert text in texts(host)


async def test_a_charge_among_the_payouts_of_an_account_tries_nothing() -> None:
    charge = payout(("credit", 100))._replace(
        state="made", account_id="1", lines='[{"product":"fixed_charge","charges_minor":5}]'
    )

    assert 0 == trial_payouts.tests_settled([charge], "1", 0)
