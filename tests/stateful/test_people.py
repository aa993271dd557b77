"""Users, rights and complaints live through whatever people can do to them, on every journal."""

from __future__ import annotations

import pytest
from hypothesis.stateful import run_state_machine_as_test
from tests.stateful.complaint_model import ComplaintMachine
from tests.stateful.office_machine import OfficeMachine
from tests.stateful.on_every_journal import OnSqlite, runs
from tests.stateful.people_model import PeopleMachine
from tests.stateful.ways import every_way_taken, toured

from pos_host.merchants.accounts.complaints import COMPLAINT_LIFE
from pos_host.merchants.accounts.right_requests import RIGHT_REQUEST_LIFE
from pos_host.merchants.lives import Life
from pos_host.merchants.users import USER_LIFE


class PeopleOnSqlite(OnSqlite, PeopleMachine):
    pass


class ComplaintOnSqlite(OnSqlite, ComplaintMachine):
    pass


@pytest.mark.slow
@pytest.mark.parametrize(
    ("machine", "lives"), [(PeopleMachine, (USER_LIFE, RIGHT_REQUEST_LIFE)), (ComplaintMachine, (COMPLAINT_LIFE,))]
)
def test_what_people_ask_for_is_in_memory_what_it_is_on_paper(
    machine: type[OfficeMachine], lives: tuple[Life, ...]
) -> None:
    with every_way_taken(*lives):
        toured(machine())
        run_state_machine_as_test(machine, settings=runs(40))


@pytest.mark.slow
@pytest.mark.parametrize("machine", [PeopleOnSqlite, ComplaintOnSqlite])
def test_what_people_ask_for_is_on_sqlite_what_it_is_on_paper(machine: type[OfficeMachine]) -> None:
    run_state_machine_as_test(machine, settings=runs(6))
