"""Every reason that the diagnosis can give is given where it holds, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.host.merchants.closing_up import OPERATOR, REVIEWER, apply, close, endings, reopen, terminal
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import proven
from tests.unit.host.pipeline.terminals import (
    CARDS,
    MERCHANT,
    OTHER_MERCHANT,
    WRONG_CARD,
    Iso87Terminal,
    UnionPayTerminal,
    debit_credit,
)

from pos_host.journal import Posting
from pos_host.ledger.takeover import owed
from pos_host.merchants.actors import ADMIN
from pos_host.merchants.closing.diagnosis_texts import diagnosis_texts
from pos_host.merchants.closing.terminal_states import Whom
from pos_host.merchants.versions import Scope
from pos_host.security.guard import Guard
from pos_host.security.vault import KeyVault
from pos_specs.security.key_file import load_key_file
from pos_specs.test_cards import find_test_card


@pytest.fixture
async def host() -> AsyncIterator[HostInProcess]:
    host = HostInProcess()
    async with proven(host):
        yield host


@pytest.fixture
async def shop(host: HostInProcess) -> UnionPayTerminal:
    shop = UnionPayTerminal(host)
    await shop.sign_in()
    return shop


async def told(host: HostInProcess, terminal_id: str = "T0000001") -> dict[str, Any]:
    answer = await endings(host).diagnosis.of(host.book(terminal_id, MERCHANT))
    assert not any(card in json.dumps(answer) for card in CARDS)
    return answer


def refusing(answer: dict[str, Any]) -> dict[str, str | None]:
    return {finding["code"]: finding["response_code"] for finding in answer["findings"] if finding["refuses"]}


async def test_of_a_terminal_that_trades_there_is_nothing_to_say(host: HostInProcess, shop: UnionPayTerminal) -> None:
    await shop.purchase(10_00)
    answer = await told(host)

    assert ([], True, "00", True) == (
        answer["findings"],
        answer["sales"]["allowed"],
        answer["sales"]["response_code"],
        answer["connected"],
    )
    assert ("purchase", "approved", None) == tuple(answer["last_message"][n] for n in ("function", "outcome", "reason"))


async def test_a_suspended_closing_or_closed_terminal_is_called_so(host: HostInProcess, shop: UnionPayTerminal) -> None:
    await endings(host).suspensions.suspend(OPERATOR, terminal(host), "fault", "printer broken")
    suspended = refusing(await told(host))
    await endings(host).suspensions.resume(REVIEWER, terminal(host), "mended")
    await apply(host, terminal(host))
    closing = refusing(await told(host))
    await endings(host).closures.withdraw(OPERATOR, terminal(host), "stays")
    await close(host, terminal(host), "contract_end")
    closed = await told(host)

    assert [{"terminal_suspended": "58"}, {"terminal_closing": "58"}] == [suspended, closing]
    assert {"terminal_closed": "97"} == refusing(closed)
    assert "contract_end, closed since 2026-03-02" in closed["findings"][0]["concerns"]


async def test_the_merchants_state_is_told_beside_the_terminals(host: HostInProcess, shop: UnionPayTerminal) -> None:
    await endings(host).suspensions.suspend(REVIEWER, Whom(MERCHANT), "violation", "sold what not")
    suspended = refusing(await told(host))
    await endings(host).suspensions.resume(REVIEWER, Whom(MERCHANT), "cleared")
    await apply(host, Whom(MERCHANT))
    closing = refusing(await told(host))
    await endings(host).closures.withdraw(OPERATOR, Whom(MERCHANT), "stays")
    await close(host, Whom(MERCHANT))
    closed = await told(host)

    assert [{"merchant_suspended": "58"}, {"merchant_closing": "58"}] == [suspended, closing]
    assert {"merchant_closed": "03", "terminal_closed": "03"} == refusing(closed)
    assert "03" == closed["sales"]["response_code"]


async def test_a_replaced_terminal_names_the_other(host: HostInProcess, shop: UnionPayTerminal) -> None:
    await endings(host).replacements.replace(OPERATOR, host.book("T0000001"), "T0000002", "fault")
    answer = await told(host)

    assert {"terminal_replaced": "97"} == refusing(answer)
    assert "by terminal T0000002" == answer["findings"][0]["concerns"]


async def test_a_reopened_terminal_is_told_to_sign_in(host: HostInProcess, shop: UnionPayTerminal) -> None:
    await close(host, terminal(host))
    await reopen(host, terminal(host))

    assert {"sign_in_due": "58"} == refusing(await told(host))


async def test_a_batch_that_blocks_sales_is_named(host: HostInProcess, shop: UnionPayTerminal) -> None:
    await shop.purchase(10_00)
    await host.parts.terms.policies.put(ADMIN, Scope(MERCHANT), {"block_sales_when": "overdue"})
    await host.watch.advance(host.clock, host.clock.now_ms() + 2 * 86_400_000)

    assert {"batch_blocks_sales": "58"} == refusing(await told(host))


async def test_an_upload_a_wrong_clock_and_a_dead_line_are_hints(host: HostInProcess) -> None:
    shop, other = UnionPayTerminal(host), Iso87Terminal(host)
    await shop.sign_in()
    await shop.purchase(10_00)
    await shop.settle(debit_credit((2, 20_00)))
    await other.sign_in(f12="031500", f13="0302")
    shop.line.hang_up()
    await host.quiet()

    first, second = await told(host), await told(host, "I0000001")

    assert {"batch_uploading", "not_connected"} <= {finding["code"] for finding in first["findings"]}
    assert ["off by 26100 s"] == [f["concerns"] for f in second["findings"] if f["code"] == "clock_wrong"]
    assert {} == refusing(second)


async def test_what_was_refused_last_is_told_with_its_reason(host: HostInProcess, shop: UnionPayTerminal) -> None:
    await shop.purchase(10_00, f60="22000009000500")
    wrong_batch = await told(host)
    await shop.purchase(10_00, WRONG_CARD)
    wrong_card = await told(host)

    assert {"last_refused": "77"} == refusing(wrong_batch)
    assert "batch 000009 is not the open one, 000001" == wrong_batch["last_message"]["reason"]
    assert {"last_refused": "14"} == refusing(wrong_card)


@pytest.mark.real_time
async def test_of_unknown_numbers_it_says_which_one_is_wrong(host: HostInProcess, shop: UnionPayTerminal) -> None:
    await host.parts.directory.add_terminal(OPERATOR, MERCHANT, "T0000007")
    diagnosis = endings(host).diagnosis

    cases = {
        ("T0000001", OTHER_MERCHANT): {"under_another_merchant", "unknown_merchant", "would_enrol"},
        ("T0000002", MERCHANT): {"unknown_terminal", "would_enrol"},
        ("T0000007", MERCHANT): {"awaited"},
        ("ZZZZZZZZ", None): {"unknown_terminal", "would_enrol"},
    }
    for (terminal_id, merchant_id), expected in cases.items():
        answer = await diagnosis.of_unknown(terminal_id, merchant_id)
        found = {finding["code"] for finding in answer["findings"]}
        assert expected == found
        assert (terminal_id == "ZZZZZZZZ") == (answer["nearest"] == [])


@pytest.mark.real_time
async def test_a_host_that_enrols_nobody_does_not_say_it_would() -> None:
    answer = await endings(HostInProcess(enrol="strict")).diagnosis.of_unknown("T0000001", MERCHANT)

    assert ["unknown_merchant"] == [finding["code"] for finding in answer["findings"]]


async def test_a_card_that_its_issuer_declined_is_no_fault_of_the_terminal(
    host: HostInProcess, shop: UnionPayTerminal
) -> None:
    card = find_test_card("unionpay-do-not-honour")
    assert card is not None
    await shop.purchase(10_00, card.pan)

    assert {"last_declined": "05"} == refusing(await told(host))


async def test_keys_that_do_not_fit_are_told_apart() -> None:
    guarded = HostInProcess(guard=Guard("verify", KeyVault(load_key_file(), bytes(32), bytes)))
    await UnionPayTerminal(guarded).purchase(10_00, f64="0011223344556677")

    assert {"key_trouble": "A0"} == refusing(await told(guarded))


async def test_a_change_that_the_terminal_did_not_take_is_a_hint(host: HostInProcess, shop: UnionPayTerminal) -> None:
    row = owed(1, MERCHANT, host.clock.now_ms(), {"account": "2"})
    host.journal.post(Posting((), (row,), lambda first: host.registry.apply((row,))))
    await host.durable()

    answer = await told(host)

    assert (["changes_not_taken"], {}) == ([finding["code"] for finding in answer["findings"]], refusing(answer))


def test_every_finding_has_a_text_and_a_remedy() -> None:
    assert all(text.text and text.remedy for text in diagnosis_texts().values())
