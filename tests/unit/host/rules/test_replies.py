"""What rules do to answers, and that the books know what was answered and lie never."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import Logs
from tests.unit.host.pipeline.terminals import UNIONPAY_CARD, HypercomTerminal, Iso87Terminal, UnionPayTerminal

from pos_host.rules.rulebook import Rulebook
from pos_specs.totals import Side


def failures(logs: Logs) -> list[str]:
    return [line["reason"] for line in logs if line["event"] == "rule_failed"]


def entry_of(host: HostInProcess, kind: str) -> Any:
    return [stored.entry for stored in host.memory.entries if stored.entry.kind == kind][-1]


async def test_a_refusing_code_declines_the_purchase_and_books_no_money(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    rules.add({"when": {"function": "purchase", "amount": "51.00"}, "reply": {"response_code": "51"}})
    declined, approved = await unionpay.purchase(5100), await unionpay.purchase(5200)
    assert ("51", "00") == (declined.code, approved.code)
    assert "insufficient_funds" == host.book("T0000001").batches[-1].by_stan[declined.stan].entry.outcome
    assert Side(1, 5200) == host.groups("T0000001")["domestic_debit"]


async def test_a_declined_request_gets_its_code_again_once_the_rule_is_gone(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    rules.add({"id": "odd", "reply": {"response_code": "Z9"}, "times": 1})
    declined = await unionpay.purchase(5100)
    rules.remove("odd")
    again = await unionpay.again(declined)
    assert ("Z9", "Z9", declined.rrn) == (declined.code, again.code, again.rrn)
    assert "declined_by_rule" == entry_of(host, "purchase").outcome


async def test_a_rule_on_a_repeat_changes_the_wire_and_not_the_books(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    rules.add({"when": {"function": "purchase", "nth": 2}, "reply": {"response_code": "05"}})
    first = await unionpay.purchase(5100)
    assert ["00", "05", "00"] == [first.code, (await unionpay.again(first)).code, (await unionpay.again(first)).code]
    assert Side(1, 5100) == host.groups("T0000001")["domestic_debit"]


async def test_the_code_of_an_advice_or_reversal_is_a_lie_and_its_booking_is_not(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    sale = await unionpay.purchase(5100)
    rules.add({"when": {"function": ["reversal", "offline_purchase"]}, "reply": {"response_code": "96"}})
    assert ["96", "96"] == [(await unionpay.reverse(sale.request)).code, (await unionpay.offline_purchase(300)).code]
    assert Side(1, 300) == host.groups("T0000001")["domestic_debit"]


async def test_an_approving_code_on_what_the_host_declines_is_on_the_wire_only(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    rules.add({"when": {"function": "purchase"}, "reply": {"response_code": "00"}})
    assert "00" == (await unionpay.purchase(5100, pan="6228483974652130")).code
    assert "invalid_card" == entry_of(host, "purchase").outcome


async def test_a_code_that_approves_elsewhere_and_is_unknown_here_declines(
    host: HostInProcess, rules: Rulebook, hypercom: HypercomTerminal
) -> None:
    rules.add({"when": {"function": "purchase"}, "reply": {"response_code": "11"}})
    assert "11" == (await hypercom.purchase(5100)).code
    assert "declined_by_rule" == entry_of(host, "purchase").outcome


@pytest.mark.parametrize("code", ["11", "A2"])
async def test_a_code_of_another_kind_of_approval_leaves_the_purchase_approved(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal, code: str
) -> None:
    rules.add({"reply": {"response_code": code}})
    assert code == (await unionpay.purchase(5100)).code
    assert Side(1, 5100) == host.groups("T0000001")["domestic_debit"]


@pytest.mark.parametrize(("amount", "part_minor"), [("30.00", 3000), ("25%", 1275)])
async def test_a_part_is_approved_and_only_that_is_booked(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal, amount: str, part_minor: int
) -> None:
    rules.add({"when": {"function": "purchase"}, "reply": {"response_code": "10", "approved_amount": amount}})
    partly = await unionpay.purchase(5100)
    assert ("10", f"{part_minor:012d}") == (partly.code, partly.answer.fields[4])
    assert Side(1, part_minor) == host.groups("T0000001")["domestic_debit"]


async def test_a_partial_approval_without_its_amount_is_answered_as_without_the_rule(
    rules: Rulebook, unionpay: UnionPayTerminal, logs: Logs
) -> None:
    rules.add({"reply": {"response_code": "10"}})
    assert "00" == (await unionpay.purchase(5100)).code
    assert ["the code of a partial approval needs approved_amount beside it"] == failures(logs)


async def test_a_sign_in_that_a_rule_refuses_issues_no_keys(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    rules.add({"when": {"function": "sign_in"}, "reply": {"response_code": "97"}})
    refused = await unionpay.sign_in()
    assert ("97", "refused") == (refused.code, host.memory.entries[-1].entry.kind)
    assert "" == host.book("T0000001").sealed_keys


async def test_elements_are_set_from_the_request_and_the_books_and_left_out(
    rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    await unionpay.purchase(1200)
    text = "{request.11}/{batch.number}/{batch.debit.count:03}/{now.time}"
    rules.add({"reply": {"set": {"44": text}, "omit": [14, "15"]}})
    sale = await unionpay.purchase(5100)
    assert f"{sale.stan}/{unionpay.batch}/001/200000" == sale.answer.fields[44]
    assert "00" == sale.code
    assert 15 not in sale.answer.fields


async def test_tags_are_added_to_the_icc_data_of_the_answer(rules: Rulebook, unionpay: UnionPayTerminal) -> None:
    rules.add({"reply": {"tags": {"72": "9F1804000000018604842400 00".replace(" ", ""), "91": "0102"}}})
    sale = await unionpay.purchase(5100)
    assert "720D9F18040000000186048424000091020102" == sale.answer.fields[55]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ({"set": {"44": "x" * 30}}, "element 44"),
        ({"set": {"127": "x"}}, "element 127: the dialect has none"),
        ({"set": {"44": "{request.2}"}}, "element 2 is sensitive (pan) and is not put into another"),
        ({"set": {"44": "{request.62}"}}, "the request has no element 62"),
        ({"response_code": "ABC"}, "element 39"),
    ],
)
async def test_a_rule_that_cannot_act_loses_no_answer_and_says_why(
    rules: Rulebook, unionpay: UnionPayTerminal, logs: Logs, reply: dict[str, Any], reason: str
) -> None:
    rules.add({"reply": reply})
    assert "00" == (await unionpay.purchase(5100)).code
    (told,) = failures(logs)
    assert reason in told
    assert UNIONPAY_CARD not in told


async def test_a_forced_upload_ends_balanced_after_upload_in_unionpay(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    sale = await unionpay.purchase(5100)
    rules.add({"when": {"function": "settlement"}, "reply": {"force_upload": True}})
    answer = (await unionpay.settle({"domestic_debit": Side(1, 5100)})).answer
    assert ("2", None) == (answer.fields[48][30], answer.fields.get(39))
    await unionpay.upload((sale.stan, UNIONPAY_CARD, 5100))
    assert "00" == (await unionpay.end_upload(1)).code
    assert "balanced_after_upload" == host.book("T0000001").batches[0].result


async def test_a_forced_upload_ends_balanced_after_upload_in_hypercom(
    host: HostInProcess, rules: Rulebook, hypercom: HypercomTerminal
) -> None:
    await hypercom.sign_in()
    sale = await hypercom.purchase(5100)
    rules.add({"when": {"function": "settlement"}, "reply": {"force_upload": True}})
    totals = {"sales": Side(1, 5100)}
    assert "95" == (await hypercom.settle(totals)).code
    await hypercom.upload(sale)
    assert "00" == (await hypercom.settle(totals, trailer=True)).code
    assert "balanced_after_upload" == host.book("H0000001").batches[0].result


async def test_where_there_is_no_upload_it_cannot_be_forced(
    host: HostInProcess, rules: Rulebook, iso87: Iso87Terminal, logs: Logs
) -> None:
    await iso87.purchase(5100)
    rules.add({"when": {"function": "settlement"}, "reply": {"force_upload": True}})
    await iso87.settle({"debits": Side(1, 5100)})
    assert ["the dialect has no batch upload to force"] == failures(logs)
    assert "balanced" == host.book(iso87.ids[41]).batches[0].result


async def test_the_exchange_says_which_rules_acted_and_keeps_the_answer_before_the_fault(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal, logs: Logs
) -> None:
    rules.add({"id": "code", "reply": {"response_code": "05"}})
    rules.add({"id": "stan", "fault": "wrong_stan"})
    sale = await unionpay.purchase(5100)
    exchange = host.pipeline.exchanges.kept[-1]
    assert (("code", "stan"), "wrong_stan") == (exchange.rules, exchange.fault)
    assert int(sale.stan) + 1 == int(sale.answer.fields[11])
    assert unionpay.line.writes[-1] != exchange.reply
    (told,) = [line for line in logs if line["event"] == "rule_acted"]
    assert ("stan", "wrong_stan", "T0000001", sale.stan) == tuple(
        told[name] for name in ("rule", "fault", "terminal_id", "stan")
    )
