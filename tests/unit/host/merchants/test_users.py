"""Users and their tokens: told once, kept as a digest, exchanged and revoked."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import UnionPayTerminal

from pos_host.clock import iso_utc
from pos_host.ledger.merchant_rows import AuditRow
from pos_host.merchants.actors import ADMIN, Actor
from pos_host.merchants.desk import Forbidden, Refused
from pos_host.merchants.lives import NotNow
from pos_host.merchants.users import Users


@pytest.fixture
def host() -> HostInProcess:
    return HostInProcess()


def users_of(host: HostInProcess) -> Users:
    return host.parts.users


async def test_a_user_is_known_by_the_token_that_is_told_once(host: HostInProcess) -> None:
    made = await users_of(host).create(ADMIN, "li.wei", "operator")

    assert Actor("li.wei", "operator", known_to=("admin",)) == users_of(host).actor_of(made["token"])
    assert "token" not in users_of(host).user("li.wei")
    assert None is users_of(host).actor_of(made["token"] + "x")
    assert None is users_of(host).actor_of("")


async def test_the_store_and_the_trail_hold_no_token(host: HostInProcess) -> None:
    made = await users_of(host).create(ADMIN, "li.wei", "operator")
    again = await users_of(host).rotate(ADMIN, "li.wei")

    kept = repr(host.memory.rows) + repr(host.memory.entries)
    assert made["token"] not in kept
    assert again["token"] not in kept
    assert '"digest"' not in "".join(row.after + row.before for row in host.memory.all_rows(AuditRow))


async def test_a_rotated_token_takes_the_place_of_the_one_before(host: HostInProcess) -> None:
    first = (await users_of(host).create(ADMIN, "li.wei", "operator"))["token"]
    second = (await users_of(host).rotate(ADMIN, "li.wei"))["token"]

    now = Actor("li.wei", "operator", known_to=("admin",))
    assert (None, now) == (users_of(host).actor_of(first), users_of(host).actor_of(second))


async def test_a_revoked_user_stays_on_record_and_may_do_nothing(host: HostInProcess) -> None:
    token = (await users_of(host).create(ADMIN, "li.wei", "operator"))["token"]
    await users_of(host).revoke(ADMIN, "li.wei", "left the company")

    assert None is users_of(host).actor_of(token)
    assert ["revoked"] == [user["state"] for user in users_of(host).users()]
    with pytest.raises(NotNow):
        await users_of(host).rotate(ADMIN, "li.wei")
    with pytest.raises(Refused, match="is taken"):
        await users_of(host).create(ADMIN, "li.wei", "viewer")


async def test_users_are_known_after_a_restart(host: HostInProcess) -> None:
    kept = (await users_of(host).create(ADMIN, "li.wei", "reviewer"))["token"]
    gone = (await users_of(host).create(ADMIN, "zhang", "admin"))["token"]
    await users_of(host).revoke(ADMIN, "zhang")

    again = users_of(host.twin())
    assert (Actor("li.wei", "reviewer", known_to=("admin",)), None) == (again.actor_of(kept), again.actor_of(gone))


async def test_a_merchants_user_needs_a_merchant_that_is_known(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    await terminal.sign_in()
    mid = terminal.ids[42]

    made = await users_of(host).create(ADMIN, "shop", "merchant", mid)

    assert Actor("shop", "merchant", mid, ("admin",)) == users_of(host).actor_of(made["token"])
    for role, merchant_id, status in (
        ("merchant", "", 422),
        ("viewer", mid, 422),
        ("merchant", "104110070110999", 404),
    ):
        with pytest.raises(Refused) as refused:
            await users_of(host).create(ADMIN, "other", role, merchant_id)
        assert status == refused.value.status


@pytest.mark.parametrize("name", ["", "Li Wei", "6222020000000005", "a\nb", ".dot", "x" * 65, "admin", "host", "李"])
async def test_a_name_that_is_none_or_taken_is_refused_and_not_repeated(host: HostInProcess, name: str) -> None:
    with pytest.raises(Refused):
        await users_of(host).create(ADMIN, name, "viewer")

    assert "6222020000000005" not in repr(host.memory.all_rows(AuditRow))
    assert [] == users_of(host).users()


@pytest.mark.parametrize("role", ["host", "root", ""])
async def test_nobody_becomes_the_host_itself(host: HostInProcess, role: str) -> None:
    with pytest.raises(Refused, match="role must be one of"):
        await users_of(host).create(ADMIN, "li.wei", role)


@pytest.mark.parametrize("role", ["viewer", "operator", "reviewer"])
async def test_only_an_admin_makes_and_ends_users(host: HostInProcess, role: str) -> None:
    actor = Actor("eve", role)
    await users_of(host).create(ADMIN, "li.wei", "viewer")
    for asked in (
        users_of(host).create(actor, "mallory", "admin"),
        users_of(host).rotate(actor, "li.wei"),
        users_of(host).revoke(actor, "li.wei"),
    ):
        with pytest.raises(Forbidden):
            await asked

    assert ["done", "refused", "refused", "refused"] == [row.result for row in host.memory.all_rows(AuditRow)]


async def test_a_holders_user_ends_with_the_commit_of_the_change(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    await terminal.sign_in()
    mid = terminal.ids[42]
    await users_of(host).create(ADMIN, "shop", "merchant", mid)
    await users_of(host).create(ADMIN, "clerk", "viewer")

    rows = users_of(host).revoke_of_holder(mid, "shop", 5)

    assert [("shop", "revoked")] == [(row.record_id, row.state) for row in rows]
    assert () == users_of(host).revoke_of_holder(mid, "clerk", 5)
    assert () == users_of(host).revoke_of_holder("104110070110999", "shop", 5)


async def test_a_token_ends_at_its_time_and_a_new_one_lasts_as_long(host: HostInProcess) -> None:
    hour = 3_600_000
    ends_at_ms = host.clock.now_ms() + hour
    first = await users_of(host).create(ADMIN, "li.wei", "operator", expires_at_ms=ends_at_ms)

    host.clock.move_to(ends_at_ms - 1)
    assert Actor("li.wei", "operator", known_to=("admin",)) == users_of(host).actor_of(first["token"])
    host.clock.move_to(ends_at_ms)
    assert None is users_of(host).actor_of(first["token"])
    assert None is users_of(host.twin()).actor_of(first["token"])

    second = await users_of(host).rotate(ADMIN, "li.wei")
    assert iso_utc(ends_at_ms + hour) == second["expires_at"]
    third = await users_of(host).rotate(ADMIN, "li.wei", expires_at_ms=ends_at_ms + 2 * hour)
    assert iso_utc(ends_at_ms + 2 * hour) == third["expires_at"]


async def test_a_token_that_would_have_ended_already_is_not_made(host: HostInProcess) -> None:
    now_ms = host.clock.now_ms()
    with pytest.raises(Refused, match="past"):
        await users_of(host).create(ADMIN, "li.wei", "operator", expires_at_ms=now_ms)

    assert [] == users_of(host).users()


async def test_the_last_use_of_a_token_is_known_to_the_minute_also_after_a_restart(host: HostInProcess) -> None:
    users = users_of(host)
    token = (await users.create(ADMIN, "li.wei", "operator"))["token"]
    assert None is users.user("li.wei")["last_used_at"]
    audited = len(host.memory.all_rows(AuditRow))

    at_ms = host.clock.now_ms()
    for shift_ms in (0, 1000, 59_999):
        host.clock.move_to(at_ms + shift_ms)
        users.actor_of(token)
    users.actor_of(token + "x")
    await asyncio.sleep(0.01)

    assert (
        iso_utc(at_ms) == users.user("li.wei")["last_used_at"] == users_of(host.twin()).user("li.wei")["last_used_at"]
    )
    host.clock.move_to(at_ms + 60_000)
    users.actor_of(token)
    assert iso_utc(at_ms + 60_000) == users.user("li.wei")["last_used_at"]
    assert audited == len(host.memory.all_rows(AuditRow))
