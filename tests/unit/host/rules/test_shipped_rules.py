"""The rule files that come with the host do what their first lines say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import HypercomTerminal, Iso87Terminal, UnionPayTerminal

from pos_host.rules.rule import load_rules
from pos_host.rules.rulebook import Rulebook
from pos_specs.language import shipped_languages
from pos_specs.totals import Side


def seen(rules: Rulebook) -> dict[str, int]:
    return {view["id"]: view["acted"] for view in rules.views() if view["acted"]}


async def test_magic_amounts_are_answered_with_their_last_two_digits(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    rules.replace(load_rules("magic-amounts"))
    amounts = (1251, 1205, 1299, 1200)
    assert ["51", "05", "99", "00"] == [(await unionpay.purchase(amount)).code for amount in amounts]
    half = await unionpay.purchase(1210)
    assert ("10", "000000000605") == (half.code, half.answer.fields[4])
    assert Side(2, 1200 + 605) == host.groups("T0000001")["domestic_debit"]


async def test_every_code_of_every_dialect_has_an_amount() -> None:
    rules = load_rules("response-codes")
    reached = {
        (dialect, rule.reply.code.text)
        for rule in rules
        if rule.reply is not None and rule.reply.code is not None
        for dialect in rule.document["when"]["dialect"]
    }
    plain = {"00", "000", "400", "500", "800"}
    roots = [language.dialect for language in shipped_languages() if not language.dialect.bases]
    assert {(dialect.name, code) for dialect in roots for code in {*dialect.codes} - plain} == reached


async def test_response_codes_come_by_their_amounts(rules: Rulebook, hypercom: HypercomTerminal) -> None:
    rules.replace(load_rules("response-codes"))
    await hypercom.sign_in()
    asked = {"51": "7051.00", "A0": "8010.00", "116": "7116.00", "89": "7089.00"}
    answered = {code: (await hypercom.purchase(int(Decimal(amount) * 100))).code for code, amount in asked.items()}
    assert {"51": "51", "A0": "00", "116": "00", "89": "89"} == answered


async def test_stand_in_approves_up_to_its_limit(rules: Rulebook, unionpay: UnionPayTerminal) -> None:
    rules.replace(load_rules("stand-in"))
    assert ["00", "91"] == [(await unionpay.purchase(amount)).code for amount in (50_000, 50_001)]


async def test_out_of_balance_says_so_whatever_was_uploaded(
    host: HostInProcess, rules: Rulebook, hypercom: HypercomTerminal
) -> None:
    rules.replace(load_rules("out-of-balance"))
    await hypercom.sign_in()
    sale = await hypercom.purchase(5100)
    totals = {"sales": Side(1, 5100)}
    told = [(await hypercom.settle(totals)).code, (await hypercom.upload(sale)).code]
    assert ["95", "00", "77"] == [*told, (await hypercom.settle(totals, trailer=True)).code]
    assert "balanced_after_upload" == host.book("H0000001").batches[0].result


async def test_out_of_balance_calls_the_totals_of_the_iso_dialects_different(
    rules: Rulebook, iso87: Iso87Terminal
) -> None:
    rules.replace(load_rules("out-of-balance"))
    await iso87.purchase(5100)
    assert "2" == (await iso87.settle({"debits": Side(1, 5100)})).answer.fields[66]


@pytest.mark.parametrize(("amount", "tag"), [(5071, "71"), (5072, "72")])
async def test_issuer_scripts_come_with_the_amount(
    rules: Rulebook, unionpay: UnionPayTerminal, amount: int, tag: str
) -> None:
    rules.replace(load_rules("issuer-scripts"))
    chip: dict[str, Any] = {"f22": "051", "f55": "9F2608A1B2C3D4E5F60708"}
    assert (await unionpay.purchase(amount, **chip)).answer.fields[55].startswith(f"{tag}169F1804")
    assert 55 not in (await unionpay.purchase(5000, **chip)).answer.fields


async def test_lost_answers_are_lost_in_turn(host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal) -> None:
    rules.replace(load_rules("lost-answers"))
    before = [(await unionpay.purchase(1000)).code for _ in range(4)]
    unionpay.line.feed(unionpay.line.bytes_of(unionpay.purchase_message(1000)))
    await host.quiet()
    assert (["00"] * 4, {"lost-transaction": 1}) == (before, seen(rules))
    assert Side(5, 5000) == host.groups("T0000001")["domestic_debit"]
