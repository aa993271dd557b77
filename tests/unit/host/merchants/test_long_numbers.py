"""Numbers of cards, accounts and people do not stay in texts; ids of the host's own do."""

from __future__ import annotations

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess

from pos_host.ledger.merchant_rows import AuditRow
from pos_host.merchants.actors import ADMIN
from pos_host.merchants.desk import Refused, Subject, Told, Written
from pos_host.merchants.long_numbers import without_foreign_numbers, without_long_numbers

PAN = "6222021234567890005"
MERCHANT = "104110070110814"


@pytest.mark.parametrize("number", [PAN, "6222 0212 3456 7890 005", "11010519491231002X", "62220212", "021-5555-1234"])
def test_what_people_write_keeps_no_long_number(number: str) -> None:
    assert f"ask {'*' * len(number)}, he knows" == without_long_numbers(f"ask {number}, he knows")


def test_a_sentence_of_the_hosts_keeps_ids_and_hides_what_cannot_be_one() -> None:
    text = f"no terminal {PAN} under merchant {MERCHANT}, batch 100001 of 2026-03-02"

    assert f"no terminal {'*' * 19} under merchant {MERCHANT}, batch 100001 of 2026-03-02" == without_foreign_numbers(
        text
    )


async def test_the_trail_and_the_journal_hold_no_number_that_somebody_wrote_or_asked_for() -> None:
    host = HostInProcess()
    desk = host.parts.desk

    def refuse(now_ms: int) -> Written:
        raise Refused("not_there", f"no terminal {PAN}", status=404)

    await desk.act(
        ADMIN, "terminal.remind", Subject("terminal"), lambda now_ms: Written(told=(Told("x"),)), f"for {PAN}"
    )
    with pytest.raises(Refused):
        await desk.act(ADMIN, "terminal.remind", Subject("terminal"), refuse)

    reasons = [row.reason for row in host.memory.all_rows(AuditRow)]
    assert [f"for {'*' * 19}", f"no terminal {'*' * 19}"] == reasons
    assert PAN not in repr(host.memory.entries)
