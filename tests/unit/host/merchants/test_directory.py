"""The directory: merchants on record, and terminals that may enrol where others are refused."""

from __future__ import annotations

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import UnionPayTerminal

from pos_host.ledger.merchant_rows import AuditRow
from pos_host.merchants.actors import ADMIN, Actor
from pos_host.merchants.desk import Forbidden, Refused

MID = "898310000000001"


@pytest.fixture
def strict() -> HostInProcess:
    return HostInProcess(enrol="strict")


async def test_open_enrolment_puts_the_merchant_on_record() -> None:
    host = HostInProcess()
    terminal = UnionPayTerminal(host)
    await terminal.sign_in()

    merchant = host.parts.directory.merchant(terminal.ids[42])

    assert ("active", "enrolment", 1) == (merchant["status"], merchant["created_by"], merchant["terminals"])
    assert "2026-03-02T12:00:00.000Z" == merchant["created_at"]


async def test_an_added_terminal_enrols_with_its_first_message_and_another_does_not(strict: HostInProcess) -> None:
    directory = strict.parts.directory
    mine, other = UnionPayTerminal(strict, "T0000001"), UnionPayTerminal(strict, "T0000002")
    mid = mine.ids[42]
    assert "03" == (await mine.sign_in()).answer.fields[39]

    await directory.create(ADMIN, mid, {"name": "Noodles"})
    assert "97" == (await mine.sign_in()).answer.fields[39]
    await directory.add_terminal(ADMIN, mid, "T0000001")
    assert [("T0000001", False)] == [(one["terminal_id"], one["enrolled"]) for one in directory.terminals(mid)]

    assert ("00", "97") == ((await mine.sign_in()).answer.fields[39], (await other.sign_in()).answer.fields[39])
    assert [("T0000001", True)] == [(one["terminal_id"], one["enrolled"]) for one in directory.terminals(mid)]


async def test_an_added_terminal_may_enrol_after_a_restart(strict: HostInProcess) -> None:
    mid = UnionPayTerminal(strict).ids[42]
    await strict.parts.directory.create(ADMIN, mid, {})
    await strict.parts.directory.add_terminal(ADMIN, mid, "T0000001")

    again = strict.twin()

    assert "00" == (await UnionPayTerminal(again, "T0000001").sign_in()).answer.fields[39]


async def test_enrolment_keeps_what_was_said_of_the_merchant(strict: HostInProcess) -> None:
    mid = UnionPayTerminal(strict).ids[42]
    await strict.parts.directory.create(ADMIN, mid, {"name": "Noodles"})
    await strict.parts.directory.add_terminal(ADMIN, mid, "T0000001")
    await UnionPayTerminal(strict, "T0000001").sign_in()

    merchant = strict.parts.directory.merchant(mid)
    assert ("Noodles", "admin", 1) == (merchant["name"], merchant["created_by"], merchant["terminals"])


async def test_a_change_keeps_what_it_does_not_name(strict: HostInProcess) -> None:
    directory = strict.parts.directory
    await directory.create(ADMIN, MID, {"name": "Noodles", "category_code": "5812"})
    changed = await directory.change(ADMIN, MID, {"name": "Noodles at the Gate"}, "new sign")

    assert ("Noodles at the Gate", "5812") == (changed["name"], changed["category_code"])
    row = strict.memory.all_rows(AuditRow)[-1]
    assert ("merchant.change", "new sign") == (row.action, row.reason)
    assert '"name": "Noodles"' in row.before


async def test_a_change_that_changes_nothing_leaves_no_trace(strict: HostInProcess) -> None:
    await strict.parts.directory.create(ADMIN, MID, {"name": "Noodles"})
    await strict.parts.directory.change(ADMIN, MID, {"name": "Noodles"})

    assert 1 == len(strict.memory.all_rows(AuditRow))


async def test_what_is_there_already_is_not_made_again(strict: HostInProcess) -> None:
    directory = strict.parts.directory
    await directory.create(ADMIN, MID, {})
    await directory.add_terminal(ADMIN, MID, "T0000001")

    with pytest.raises(Refused, match="on record already"):
        await directory.create(ADMIN, MID, {})
    with pytest.raises(Refused, match="known already"):
        await directory.add_terminal(ADMIN, MID, "T0000001")


@pytest.mark.parametrize("merchant_id", ["", " 8983", "8983 ", "8" * 16, "商户", "a\tb"])
async def test_a_number_that_no_message_can_carry_is_refused(strict: HostInProcess, merchant_id: str) -> None:
    with pytest.raises(Refused) as refused:
        await strict.parts.directory.create(ADMIN, merchant_id, {})

    assert 422 == refused.value.status
    assert [("merchant (not a number)", "")] == [row[5:7] for row in strict.memory.all_rows(AuditRow)]


async def test_ids_with_slashes_are_not_mixed_up(strict: HostInProcess) -> None:
    directory = strict.parts.directory
    for mid in ("A/B", "A"):
        await directory.create(ADMIN, mid, {})
    await directory.add_terminal(ADMIN, "A/B", "C")

    assert (True, False) == (strict.registry.expects("A/B", "C"), strict.registry.expects("A", "B/C"))


async def test_an_unknown_merchant_is_named(strict: HostInProcess) -> None:
    with pytest.raises(Refused, match=f"merchant {MID} is not known"):
        strict.parts.directory.merchant(MID)
    with pytest.raises(Refused, match="is not known"):
        await strict.parts.directory.add_terminal(ADMIN, MID, "T0000001")


async def test_a_merchants_own_user_changes_nothing_of_it(strict: HostInProcess) -> None:
    await strict.parts.directory.create(ADMIN, MID, {})

    with pytest.raises(Forbidden):
        await strict.parts.directory.change(Actor("shop", "merchant", MID), MID, {"name": "Mine"})


async def test_a_terminal_of_base24_is_added_under_its_sixteen_characters(strict: HostInProcess) -> None:
    directory = strict.parts.directory
    await directory.create(ADMIN, "898310000000007", {})

    added = await directory.add_terminal(ADMIN, "898310000000007", "TERM000000000001")

    assert "TERM000000000001" == added["terminal_id"]
    with pytest.raises(Refused, match="1 to 16 printable"):
        await directory.add_terminal(ADMIN, "898310000000007", "TERM0000000000012")
