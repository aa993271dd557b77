"""Whoever had a part in something does not decide it, under whatever spelling of the name."""

from __future__ import annotations

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess

from pos_host.merchants.actors import ADMIN, Actor
from pos_host.merchants.desk import Forbidden
from pos_host.merchants.four_eyes import check_other_person, same_person
from pos_host.merchants.users import Users


@pytest.mark.parametrize("name", ["li.na", "Li Na", "LI NA", "li_na", "l i n a", "ｌｉ.ｎａ", "li\u200b.na", "-Li·Na-"])
def test_a_name_is_the_same_persons_however_it_is_written(name: str) -> None:
    assert same_person("li.na", name)
    with pytest.raises(Forbidden, match="somebody else"):
        check_other_person(Actor("li.na", "admin"), ["wang", name], "to approve this")


@pytest.mark.parametrize(("one", "other"), [("li.na", "li.nan"), ("li.na", "li.na2"), ("...", "---"), ("李娜", "李那")])
def test_other_names_are_other_people(one: str, other: str) -> None:
    assert not same_person(one, other)
    check_other_person(Actor(one, "reviewer"), ["", other], "to approve this")


async def test_who_knows_a_token_decides_nothing_with_it() -> None:
    users = HostInProcess().parts.users
    boss = await token_of(users, ADMIN, "boss", "admin")
    deputy = await token_of(users, boss, "deputy", "admin")
    by_the_boss = await token_of(users, boss, "rene", "reviewer")
    by_the_deputy = await token_of(users, deputy, "lea", "reviewer")
    by_the_host = await token_of(users, ADMIN, "tim", "reviewer")

    for known in (by_the_boss, deputy, by_the_deputy):
        with pytest.raises(Forbidden, match="a token that boss does not know"):
            check_other_person(known, ["boss"], "approving")
    check_other_person(by_the_host, ["boss"], "approving")
    with pytest.raises(Forbidden, match="a token that admin does not know"):
        check_other_person(by_the_host, ["admin"], "approving")


async def test_a_token_exchanged_by_its_own_user_stays_known_to_those_who_knew_it() -> None:
    users = HostInProcess().parts.users
    boss = await token_of(users, ADMIN, "boss", "admin")
    deputy = await token_of(users, boss, "deputy", "admin")

    again = users.actor_of((await users.rotate(deputy, "deputy"))["token"])

    assert again is not None
    assert ("deputy", "boss", "admin") == again.known_to


async def token_of(users: Users, actor: Actor, name: str, role: str) -> Actor:
    """Who asks with the token that `actor` made for a new user."""
    made = users.actor_of((await users.create(actor, name, role))["token"])
    assert made is not None
    return made
