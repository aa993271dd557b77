"""Many small contactless sales in a row are flagged for the risk view, and nothing is ever declined for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import proven
from tests.unit.host.pipeline.terminals import Exchange, UnionPayTerminal

from pos_host.event_log import event_of
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Forbidden
from pos_host.merchants.forgotten.pattern_rules import read_patterns, shipped_patterns
from pos_host.merchants.lives import NotNow
from pos_specs.errors import DialectError

RULE = shipped_patterns()[0]
SMALL, LARGE = RULE.at_most_minor["156"], RULE.at_most_minor["156"] + 1
WANG = Actor("wang", "operator")


async def tapped(terminal: UnionPayTerminal, amount_minor: int = SMALL) -> Exchange:
    """A contactless sale."""
    return await terminal.purchase(amount_minor, f22="072")


async def tap(terminal: UnionPayTerminal, times: int, amount_minor: int = SMALL) -> None:
    for _ in range(times):
        assert "00" == (await tapped(terminal, amount_minor)).code


async def look(host: HostInProcess) -> list[dict[str, object]]:
    await host.watch.settle()
    patterns: list[dict[str, object]] = host.parts.forgotten.patterns.all()
    return patterns


async def test_many_small_contactless_sales_in_a_row_are_flagged_once() -> None:
    host = HostInProcess()
    async with proven(host):
        terminal = UnionPayTerminal(host)
        await tap(terminal, RULE.in_a_row - 1)
        assert [] == await look(host)

        await tap(terminal, 1)
        (found,) = await look(host)

        assert (RULE.name, RULE.in_a_row, RULE.in_a_row * SMALL, 1) == (
            found["pattern"],
            found["count"],
            found["amount_minor"],
            found["cards"],
        )
        assert 1 == len(await look(host))
        types = [event_of(stored, host.registry).type for stored in host.memory.entries]
        assert 1 == types.count("risk.pattern")


async def test_no_sale_is_declined_for_a_pattern_and_the_next_run_is_another() -> None:
    host = HostInProcess()
    terminal = UnionPayTerminal(host)

    await tap(terminal, 2 * RULE.in_a_row)

    assert 2 == len(await look(host))


@pytest.mark.parametrize("breaking", ["large", "other entry mode"])
async def test_another_sale_between_them_breaks_the_row(breaking: str) -> None:
    host = HostInProcess()
    terminal = UnionPayTerminal(host)
    await tap(terminal, RULE.in_a_row - 1)

    if breaking == "large":
        await tapped(terminal, LARGE)
    else:
        await terminal.purchase(SMALL)
    await tap(terminal, RULE.in_a_row - 1)

    assert [] == await look(host)


async def test_small_sales_over_a_longer_time_are_no_pattern() -> None:
    host = HostInProcess()
    terminal = UnionPayTerminal(host)
    await tap(terminal, 1)
    host.clock.move_to(host.clock.now_ms() + RULE.within_ms + 1)

    await tap(terminal, RULE.in_a_row - 1)

    assert [] == await look(host)


async def test_a_restart_neither_forgets_a_row_nor_flags_it_again() -> None:
    host = HostInProcess()
    terminal = UnionPayTerminal(host)
    await tap(terminal, RULE.in_a_row)
    assert 1 == len(await look(host))
    await tap(terminal, RULE.in_a_row - 1)

    again = host.twin()
    assert 1 == len(await look(again))
    await tap(UnionPayTerminal(again), 0)
    later = UnionPayTerminal(again)
    later.stan = terminal.stan
    await tap(later, 1)

    assert 2 == len(await look(again))


async def test_a_flagged_pattern_is_looked_at_once_by_an_operator() -> None:
    host = HostInProcess()
    terminal = UnionPayTerminal(host)
    await tap(terminal, RULE.in_a_row)
    await look(host)
    patterns = host.parts.forgotten.patterns

    with pytest.raises(Forbidden):
        await patterns.review(Actor("x", "viewer"), "1", "fine")
    reviewed = await patterns.review(WANG, "1", "a vending machine")

    assert ("reviewed", "wang", "a vending machine") == (
        reviewed["state"],
        reviewed["reviewed_by"],
        reviewed["finding"],
    )
    with pytest.raises(NotNow):
        await patterns.review(WANG, "1", "again")


async def test_the_print_of_a_card_stays_inside() -> None:
    host = HostInProcess()
    terminal = UnionPayTerminal(host)
    await tap(terminal, RULE.in_a_row)

    shown = json.dumps(await look(host))

    current = host.book("T0000001").current
    assert current is not None
    prints = {sale.card_print for sale in current.answers.values()}
    assert not any(print_ in shown for print_ in prints)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ('functions = ["refund"]', "refund is no sale"),
        ("count = 1", "must be a whole number from 2"),
        ('within = "soon"', "is not a duration"),
        ('name = "Small Sales"', "must be small letters"),
        ("unknown = 1", "unknown is not a key of a pattern|is not a key of a pattern"),
    ],
)
def test_a_wrong_rule_is_refused_with_file_and_key(tmp_path: Path, change: str, said: str) -> None:
    lines = {
        "name": 'name = "small"',
        "text": 'text = "small"',
        "functions": 'functions = ["purchase"]',
        "count": "count = 5",
        "within": 'within = "PT5M"',
    }
    lines[change.split(" = ")[0]] = change
    file = tmp_path / "patterns.toml"
    file.write_text("[[pattern]]\n" + "\n".join(lines.values()) + '\n[pattern.at_most]\nCNY = "10.00"\n')

    with pytest.raises(DialectError, match=said) as wrong:
        read_patterns(file)
    assert "patterns.toml" in str(wrong.value)
