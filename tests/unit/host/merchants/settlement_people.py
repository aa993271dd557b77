"""People, papers and accounts for the tests of account and holder changes."""

from __future__ import annotations

import base64
from typing import Any

from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import MERCHANT, UnionPayTerminal

from pos_host.merchants.accounts.account_application import AccountApplication
from pos_host.merchants.accounts.given_account import GivenAccount
from pos_host.merchants.accounts.holder_application import HolderApplication
from pos_host.merchants.accounts.holders import GivenHolder
from pos_host.merchants.actors import Actor
from pos_specs.card_number import luhn_digit

OPERATOR, OTHER_OPERATOR = Actor("li.na", "operator"), Actor("zhou.min", "operator")
REVIEWER, OTHER_REVIEWER = Actor("wang.wei", "reviewer"), Actor("sun.yan", "reviewer")
ADMIN, VIEWER = Actor("chen.jie", "admin"), Actor("guest", "viewer")

OLD_NUMBER = "621700001234567890" + luhn_digit("621700001234567890")
NEW_NUMBER = "622848004815162342" + luhn_digit("622848004815162342")
THIRD_NUMBER = "622202314159265358" + luhn_digit("622202314159265358")
IDENTITY = "11010519491231002X"
OTHER_IDENTITY = "440308199901010012"
HOLDER = "Zhang San"
SECRETS = (OLD_NUMBER, NEW_NUMBER, THIRD_NUMBER, IDENTITY, OTHER_IDENTITY)
"""What must never be seen anywhere."""

ACCOUNT_PAPERS = ("business_licence", "identity_document", "proof_of_account")
HOLDER_PAPERS = ("identity_document", "proof_of_position", "contract")


def account(number: str = NEW_NUMBER, **changes: Any) -> GivenAccount:
    """An account of the merchant's own holder."""
    return GivenAccount(number, "102", "personal", HOLDER, IDENTITY)._replace(**changes)


async def enrolled(host: HostInProcess, terminal_id: str = "T0000001") -> UnionPayTerminal:
    """A terminal that has signed in, and with it its merchant."""
    terminal = UnionPayTerminal(host, terminal_id)
    await terminal.sign_in()
    return terminal


async def papers(host: HostInProcess, kinds: tuple[str, ...] = ACCOUNT_PAPERS) -> tuple[str, ...]:
    """Papers of these kinds, handed in; their hashes."""
    documents = host.parts.details.documents
    kept = []
    for kind in kinds:
        content = base64.b64encode(f"a scanned page: {kind}, {IDENTITY}".encode()).decode()
        kept.append(await documents.keep(OPERATOR, MERCHANT, kind, f"{kind}.pdf", content))
    return tuple(view["document_id"] for view in kept)


async def with_account(host: HostInProcess) -> UnionPayTerminal:
    """A merchant with a terminal and the account it begins with."""
    terminal = await enrolled(host)
    await host.parts.details.accounts.record_first(ADMIN, MERCHANT, account(OLD_NUMBER))
    return terminal


async def application(host: HostInProcess, number: str = NEW_NUMBER, **changes: Any) -> AccountApplication:
    """An application against which nothing stands."""
    return AccountApplication(account(number), await papers(host))._replace(**changes)


async def applied(host: HostInProcess, number: str = NEW_NUMBER, **changes: Any) -> str:
    """The number of a change that an operator has applied for."""
    asked = await application(host, number, **changes)
    view = await host.parts.details.account_changes.apply(OPERATOR, MERCHANT, asked)
    return str(view["change_id"])


async def approved(host: HostInProcess, **changes: Any) -> str:
    """The number of a change that a reviewer has approved."""
    number = await applied(host, **changes)
    await host.parts.details.account_changes.approve(REVIEWER, MERCHANT, number)
    return number


async def holder_application(host: HostInProcess, **changes: Any) -> HolderApplication:
    """An application against which nothing stands, for a day far enough ahead to hand over."""
    given = GivenHolder("Li Si", OTHER_IDENTITY)
    made = HolderApplication(given, "replaced", "2026-03-10", await papers(host, HOLDER_PAPERS))
    return made._replace(**changes)


async def settled(host: HostInProcess, terminal_id: str = "T0000001") -> None:
    """Close the terminal's batch from the host's books."""
    await host.office.settle(terminal_id, MERCHANT, OPERATOR)


async def until_idle(host: HostInProcess) -> None:
    """Until the host has done what is due by now."""
    await host.watch.advance(host.clock, host.clock.now_ms())


async def pass_time(host: HostInProcess, by_ms: int) -> None:
    """Move the clock, living through all that falls due."""
    await host.watch.advance(host.clock, host.clock.now_ms() + by_ms)
