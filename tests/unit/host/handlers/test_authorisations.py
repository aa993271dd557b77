"""A pre-authorisation from its auth to its completion, void or end, through batches and reversals."""

from __future__ import annotations

import pytest
from tests.unit.host.handlers.conftest import Terminal
from tests.unit.host.handlers.test_refund import close_batch
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import (
    OTHER_CARD,
    VISA_CARD,
    WRONG_CARD,
    Exchange,
    HypercomTerminal,
    Iso87Terminal,
    UnionPayTerminal,
    debit_credit,
)

from pos_host.ledger.authorisations import has_expired
from pos_host.ledger.entry import AuthorisationRow
from pos_specs.totals import Side

DAY_MS = 86_400_000
EXPIRES_MS = 30 * DAY_MS


def outcome(host: HostInProcess) -> str:
    return host.memory.entries[-1].entry.outcome


def authorisation(terminal: Terminal, host: HostInProcess) -> AuthorisationRow:
    """The terminal's only one."""
    (row,) = host.book(terminal.ids[41]).authorisations.values()
    return row


def state(terminal: Terminal, host: HostInProcess) -> tuple[str, int, int]:
    row = authorisation(terminal, host)
    return row.state, row.amount_minor, row.completed_minor


def counted(terminal: Terminal, host: HostInProcess) -> dict[str, Side]:
    return {name: side for name, side in host.groups(terminal.ids[41]).items() if side.count}


def sales(terminal: Terminal, count: int, amount_minor: int) -> dict[str, Side]:
    name = {"unionpay": "domestic_debit", "hypercom": "sales"}.get(terminal.dialect, "debits")
    return {name: Side(count, amount_minor)}


async def complete(terminal: Terminal, auth: Exchange, amount_minor: int) -> Exchange:
    """Asked for in UnionPay, told afterwards elsewhere."""
    if isinstance(terminal, UnionPayTerminal):
        return await terminal.complete(auth, amount_minor)
    return await terminal.tell_completion(auth, amount_minor)


async def void_completion(terminal: Terminal, done: Exchange) -> Exchange:
    """UnionPay has a function for it; elsewhere it is the void of a sale."""
    if isinstance(terminal, UnionPayTerminal):
        return await terminal.completion_void(done)
    return await terminal.void(done)


# -- auth


async def test_an_authorisation_is_approved_and_counts_nowhere(terminal: Terminal, host: HostInProcess) -> None:
    auth = await terminal.auth(50_00)

    assert ("0110", "00") == (auth.answer.mti, auth.code)
    assert {} == counted(terminal, host)
    assert ("open", 50_00, 0) == state(terminal, host)
    row = authorisation(terminal, host)
    assert (auth.answer.fields[38], auth.rrn) == (row.approval_code, row.rrn)
    assert EXPIRES_MS == row.expires_at_ms - row.authorised_at_ms


async def test_a_batch_that_holds_only_authorisations_has_no_money(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.auth(50_00)

    assert 0 == host.book(terminal.ids[41]).batches[-1].first_money_at_ms
    await close_batch(terminal)


async def test_an_authorisation_of_a_wrong_card_or_nothing_is_refused(terminal: Terminal, host: HostInProcess) -> None:
    assert "14" == (await terminal.auth(50_00, WRONG_CARD)).code
    assert "13" == (await terminal.auth(0)).code
    assert {} == host.book(terminal.ids[41]).authorisations


async def test_a_repeated_auth_gets_the_first_answer_and_reserves_once(terminal: Terminal, host: HostInProcess) -> None:
    auth = await terminal.auth(50_00)

    assert auth.answer == (await terminal.again(auth)).answer
    assert ("open", 50_00, 0) == state(terminal, host)


async def test_an_auth_after_its_reversal_is_refused(terminal: Terminal, host: HostInProcess) -> None:
    late = terminal.purchase_message(50_00, f11="000500")
    await terminal.reverse(late)

    assert ("12", "late_original") == ((await terminal.auth(50_00, f11="000500")).code, outcome(host))


async def test_an_additional_auth_raises_the_amount_under_the_same_code(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    first = await unionpay.auth(50_00)
    code = first.answer.fields[38]

    more = await unionpay.auth(25_00, f25="60", f38=code)

    assert ("00", code) == (more.code, more.answer.fields[38])
    assert more.rrn != first.rrn
    assert ("open", 75_00, 0) == state(unionpay, host)
    assert "00" == (await unionpay.complete(first, 75_00)).code


async def test_a_later_message_may_name_the_additional_auth(unionpay: UnionPayTerminal) -> None:
    first = await unionpay.auth(50_00)
    more = await unionpay.auth(25_00, f25="60", f38=first.answer.fields[38])

    assert "00" == (await unionpay.complete(more, 75_00)).code


async def test_an_additional_auth_of_an_unknown_code_or_another_card_finds_no_original(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    first = await unionpay.auth(50_00)

    for wrong in ({"f38": "999999"}, {"f38": first.answer.fields[38], "f2": OTHER_CARD}):
        assert ("25", "original_not_found") == (
            (await unionpay.auth(25_00, f25="60", **wrong)).code,
            outcome(host),
        )


async def test_an_authorisation_is_raised_99_times_at_most(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    code = (await unionpay.auth(1_00)).answer.fields[38]

    codes = [(await unionpay.auth(1_00, f25="60", f38=code)).code for _ in range(100)]

    assert [*["00"] * 99, "58"] == codes
    assert ("open", 100_00, 0) == state(unionpay, host)


async def test_an_auth_with_a_reference_of_the_terminals_own_opens_one(
    iso87: Iso87Terminal, host: HostInProcess
) -> None:
    auth = await iso87.auth(50_00, f37="MYREFERENCE1")

    assert "00" == auth.code
    assert "00" == (await iso87.tell_completion(auth, 50_00, f37="MYREFERENCE2")).code
    assert ("completed", 50_00, 50_00) == state(iso87, host)


async def test_an_additional_auth_without_a_code_is_a_format_error(unionpay: UnionPayTerminal) -> None:
    assert "30" == (await unionpay.auth(25_00, f25="60")).code


# -- its void


async def test_a_void_ends_an_authorisation(terminal: Terminal, host: HostInProcess) -> None:
    auth = await terminal.auth(50_00)

    void = await terminal.auth_void(auth)

    assert ("00", auth.answer.fields[38]) == (void.code, void.answer.fields[38])
    assert ("voided", 50_00, 0) == state(terminal, host)
    assert ("12", "already_voided") == ((await terminal.auth_void(auth)).code, outcome(host))
    assert {} == counted(terminal, host)


async def test_the_void_of_another_amount_is_refused(terminal: Terminal, host: HostInProcess) -> None:
    auth = await terminal.auth(50_00)
    code = "13" if isinstance(terminal, HypercomTerminal) else "64"

    assert (code, "original_differs") == ((await terminal.auth_void(auth, f4="000000004000")).code, outcome(host))
    assert ("open", 50_00, 0) == state(terminal, host)


async def test_the_void_of_an_unknown_authorisation_is_refused(terminal: Terminal, host: HostInProcess) -> None:
    auth = await terminal.auth(50_00)

    for wrong in ({"f38": "777777"}, {"f2": OTHER_CARD}):
        assert ("25", "original_not_found") == ((await terminal.auth_void(auth, **wrong)).code, outcome(host))
    assert "00" == (await terminal.auth_void(auth)).code


async def test_a_hypercom_void_may_name_its_auth_by_rrn(hypercom: HypercomTerminal, host: HostInProcess) -> None:
    first, second = await hypercom.auth(50_00), await hypercom.auth(50_00)

    assert "25" == (await hypercom.auth_void(first, f38=None, f37="000009000009")).code
    assert "00" == (await hypercom.auth_void(first, f38=None)).code
    assert {first.rrn: "voided", second.rrn: "open"} == {
        row.rrn: row.state for row in host.book("H0000001").authorisations.values()
    }


async def test_where_a_stan_names_several_the_latest_is_meant(iso87: Iso87Terminal, host: HostInProcess) -> None:
    first = await iso87.auth(50_00, f11="000500")
    await close_batch(iso87)
    second = await iso87.auth(50_00, f11="000500")

    assert "00" == (await iso87.auth_void(second, f38=None)).code
    assert {first.rrn: "open", second.rrn: "voided"} == {
        row.rrn: row.state for row in host.book("I0000001").authorisations.values()
    }


async def test_a_void_must_fit_all_that_it_says_of_the_auth(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    auth = await unionpay.auth(50_00)

    for wrong in (f"000002{auth.stan}0302", "0000010009990302"):
        assert "25" == (await unionpay.auth_void(auth, f61=wrong)).code
    assert "00" == (await unionpay.auth_void(auth, f61="0" * 16)).code


async def test_a_void_or_completion_after_its_reversal_is_refused(unionpay: UnionPayTerminal) -> None:
    auth = await unionpay.auth(50_00)
    void = await unionpay.auth_void(auth, f38="000000", f11="000500")
    assert "25" == void.code
    for stan in ("000501", "000502"):
        await unionpay.reverse(unionpay.message("0100", dict(void.request.fields), {11: stan}))

    assert "12" == (await unionpay.auth_void(auth, f11="000501")).code
    assert "12" == (await unionpay.complete(auth, 50_00, f11="000502")).code
    assert "00" == (await unionpay.complete(auth, 50_00)).code


async def test_a_completed_authorisation_cannot_be_voided_or_raised(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    auth = await unionpay.auth(50_00)
    await unionpay.complete(auth, 48_00)

    assert ("12", "already_completed") == ((await unionpay.auth_void(auth)).code, outcome(host))
    more = await unionpay.auth(1_00, f25="60", f38=auth.answer.fields[38])
    assert ("12", "already_completed") == (more.code, outcome(host))


# -- its completion


async def test_a_completion_is_a_sale_and_ends_the_authorisation(terminal: Terminal, host: HostInProcess) -> None:
    auth = await terminal.auth(50_00)

    done = await complete(terminal, auth, 48_00)

    assert "00" == done.code
    assert sales(terminal, 1, 48_00) == counted(terminal, host)
    assert ("completed", 50_00, 48_00) == state(terminal, host)


async def test_an_authorisation_is_completed_once(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    auth = await unionpay.auth(50_00)
    done = await unionpay.complete(auth, 48_00)

    assert done.answer == (await unionpay.again(done)).answer
    assert ("12", "already_completed") == ((await unionpay.complete(auth, 2_00)).code, outcome(host))
    assert {"domestic_debit": Side(1, 48_00)} == counted(unionpay, host)


@pytest.mark.parametrize(("amount_minor", "code"), [(57_50, "00"), (57_51, "64")])
async def test_a_completion_may_be_up_to_115_per_cent(unionpay: UnionPayTerminal, amount_minor: int, code: str) -> None:
    auth = await unionpay.auth(50_00)

    assert code == (await unionpay.complete(auth, amount_minor)).code


async def test_a_completion_in_another_currency_is_refused(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    auth = await unionpay.auth(50_00)

    assert ("64", "original_differs") == ((await unionpay.complete(auth, 50_00, f49="840")).code, outcome(host))


async def test_a_completion_of_nothing_known_is_refused(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    auth = await unionpay.auth(50_00)

    for wrong in ({"f38": "777777"}, {"f2": OTHER_CARD}, {"f61": "0000020000010302"}):
        assert ("25", "original_not_found") == ((await unionpay.complete(auth, 50_00, **wrong)).code, outcome(host))


async def test_a_completion_that_names_nothing_is_refused(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    auth = await unionpay.auth(50_00)

    nothing = {"f38": " " * 6, "f61": "0" * 16}
    assert ("25", "original_not_found") == ((await unionpay.complete(auth, 50_00, **nothing)).code, outcome(host))


async def test_the_completion_of_a_voided_authorisation_is_refused(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    auth = await unionpay.auth(50_00)
    await unionpay.auth_void(auth)

    assert ("12", "already_voided") == ((await unionpay.complete(auth, 50_00)).code, outcome(host))


async def test_the_completion_of_a_foreign_card_counts_in_the_foreign_half(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    await unionpay.complete(await unionpay.auth(50_00, VISA_CARD), 50_00)

    assert {"foreign_debit": Side(1, 50_00)} == counted(unionpay, host)


async def test_an_authorisation_lives_on_when_its_batch_is_long_forgotten(
    terminal: Terminal, host: HostInProcess
) -> None:
    auth = await terminal.auth(50_00)
    for _ in range(4):
        await terminal.purchase(1_00)
        await close_batch(terminal, sales=(1, 1_00))

    assert "00" == (await complete(terminal, auth, 50_00)).code
    assert ("completed", 50_00, 50_00) == state(terminal, host)


async def test_a_finished_authorisation_is_forgotten_with_the_batch_that_finished_it(
    terminal: Terminal, host: HostInProcess
) -> None:
    auth = await terminal.auth(50_00)
    await terminal.auth_void(auth)
    for _ in range(3):
        await terminal.purchase(1_00)
        await close_batch(terminal, sales=(1, 1_00))

    assert {} == host.book(terminal.ids[41]).authorisations
    assert 1 == len(host.memory.table(AuthorisationRow))


# -- its end


async def test_an_authorisation_expires_by_policy(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    auth = await unionpay.auth(50_00)
    host.clock.move_to(host.clock.now_ms() + EXPIRES_MS - 1)
    assert "00" == (await unionpay.complete(auth, 50_00)).code
    second = await unionpay.auth(50_00)
    host.clock.move_to(host.clock.now_ms() + EXPIRES_MS)

    for done in (await unionpay.complete(second, 50_00), await unionpay.auth_void(second)):
        assert ("25", "original_not_found") == (done.code, outcome(host))
    assert has_expired(
        host.book("T0000001").authorisations[max(host.memory.table(AuthorisationRow))], host.clock.now_ms()
    )


async def test_an_expired_authorisation_is_forgotten_with_the_next_batch(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    await unionpay.auth(50_00)
    for _ in range(3):
        host.clock.move_to(host.clock.now_ms() + EXPIRES_MS)
        await close_batch(unionpay)

    assert {} == host.book("T0000001").authorisations


# -- the void of its completion


async def test_the_void_of_a_completion_opens_the_authorisation_again(terminal: Terminal, host: HostInProcess) -> None:
    auth = await terminal.auth(50_00)
    done = await complete(terminal, auth, 48_00)

    assert "00" == (await void_completion(terminal, done)).code

    assert ("open", 50_00, 0) == state(terminal, host)
    assert "00" == (await complete(terminal, auth, 49_00)).code
    assert ("completed", 50_00, 49_00) == state(terminal, host)


async def test_in_unionpay_a_voided_completion_stays_in_debit_and_its_void_goes_to_credit(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    await unionpay.completion_void(await unionpay.complete(await unionpay.auth(50_00), 48_00))

    assert {"domestic_debit": Side(1, 48_00), "domestic_credit": Side(1, 48_00)} == counted(unionpay, host)
    settled = await unionpay.settle(debit_credit((1, 48_00), (1, 48_00)))
    assert "1" == settled.answer.fields[48][30]


async def test_in_hypercom_and_iso87_a_voided_completion_counts_as_a_voided_sale(
    hypercom: HypercomTerminal, iso87: Iso87Terminal, host: HostInProcess
) -> None:
    for terminal in (hypercom, iso87):
        await terminal.void(await terminal.tell_completion(await terminal.auth(50_00), 48_00))

    assert {} == counted(hypercom, host)
    assert {"debits": Side(1, 48_00), "debits_reversal": Side(1, 48_00)} == counted(iso87, host)


async def test_a_completion_of_a_closed_batch_cannot_be_voided(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    done = await unionpay.complete(await unionpay.auth(50_00), 48_00)
    await close_batch(unionpay, sales=(1, 48_00))

    assert ("25", "original_settled") == ((await unionpay.completion_void(done)).code, outcome(host))


async def test_a_completion_is_no_purchase_and_a_purchase_no_completion_to_unionpays_voids(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    done = await unionpay.complete(await unionpay.auth(50_00), 48_00)
    sale = await unionpay.purchase(48_00)

    assert "25" == (await unionpay.void(done)).code
    assert "25" == (await unionpay.completion_void(sale)).code


async def test_a_completion_can_be_refunded_but_not_its_auth(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    auth = await unionpay.auth(50_00)
    done = await unionpay.complete(auth, 48_00)
    await close_batch(unionpay, sales=(1, 48_00))

    assert "25" == (await unionpay.refund(auth, 1_00)).code
    assert "00" == (await unionpay.refund(done, 48_00)).code


# -- reversals: each restores what stood


async def test_a_reversed_auth_reserves_nothing(terminal: Terminal, host: HostInProcess) -> None:
    auth = await terminal.auth(50_00)

    assert "00" == (await terminal.reverse(auth.request)).code

    assert ("reversed", 0, 0) == state(terminal, host)
    assert ("12", "already_reversed") == ((await terminal.auth_void(auth)).code, outcome(host))


async def test_an_auth_reversed_by_two_messages_goes_once(iso87: Iso87Terminal, host: HostInProcess) -> None:
    auth = await iso87.auth(50_00)

    assert ["00", "00"] == [(await iso87.reverse(auth.request)).code for _ in range(2)]
    assert ("reversed", 0, 0) == state(iso87, host)


async def test_a_reversed_additional_auth_leaves_the_first(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    first = await unionpay.auth(50_00)
    more = await unionpay.auth(25_00, f25="60", f38=first.answer.fields[38])

    reversal = await unionpay.reverse(more.request)

    assert ("00", "CUP") == (reversal.code, reversal.answer.fields[63])
    assert ("open", 50_00, 0) == state(unionpay, host)


async def test_a_reversed_auth_void_opens_the_authorisation_again(terminal: Terminal, host: HostInProcess) -> None:
    auth = await terminal.auth(50_00)
    void = await terminal.auth_void(auth)

    assert "00" == (await terminal.reverse(void.request)).code
    assert ("open", 50_00, 0) == state(terminal, host)
    assert "00" == (await complete(terminal, auth, 50_00)).code


async def test_a_reversed_completion_opens_the_authorisation_again(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    auth = await unionpay.auth(50_00)
    done = await unionpay.complete(auth, 48_00)

    assert "00" == (await unionpay.reverse(done.request)).code
    assert ("open", 50_00, 0) == state(unionpay, host)
    assert {} == counted(unionpay, host)
    assert "00" == (await unionpay.complete(auth, 49_00)).code


async def test_a_reversed_completion_void_completes_it_again(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    done = await unionpay.complete(await unionpay.auth(50_00), 48_00)
    void = await unionpay.completion_void(done)

    assert "00" == (await unionpay.reverse(void.request)).code
    assert ("completed", 50_00, 48_00) == state(unionpay, host)
    assert {"domestic_debit": Side(1, 48_00)} == counted(unionpay, host)
    assert "00" == (await unionpay.completion_void(done)).code


async def test_what_something_was_built_on_is_not_reversed(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    auth = await unionpay.auth(50_00)
    first = await unionpay.complete(auth, 48_00)
    assert ("12", "already_completed") == ((await unionpay.reverse(auth.request)).code, outcome(host))
    void = await unionpay.completion_void(first)
    assert ("12", "already_voided") == ((await unionpay.reverse(first.request)).code, outcome(host))
    await unionpay.complete(auth, 49_00)

    assert ("12", "already_completed") == ((await unionpay.reverse(void.request)).code, outcome(host))
    assert ("completed", 50_00, 49_00) == state(unionpay, host)


async def test_an_auth_is_not_reversed_after_its_batch_closed(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    auth = await unionpay.auth(50_00)
    await close_batch(unionpay)

    assert "25" == (await unionpay.reverse(auth.request)).code
    assert ("open", 50_00, 0) == state(unionpay, host)


async def test_a_reversed_auth_repeated_stays_reversed(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    auth = await unionpay.auth(50_00)
    reversal = await unionpay.reverse(auth.request)

    assert reversal.answer == (await unionpay.again(reversal)).answer
    assert ("reversed", 0, 0) == state(unionpay, host)
