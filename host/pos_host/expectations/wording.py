"""What became of an expectation, in words: what was expected, what came, and what came nearest to it."""

from __future__ import annotations

from collections.abc import Mapping

from pos_host.exchanges import Exchange
from pos_host.expectations.expectation import OTHER_FUNCTION, Expectation, Miss


def explanation(expectation: Expectation) -> str:
    """Why an expectation is not met, the nearest misses element by element; of a met one that it is."""
    wanted = f"expected {expectation.count.in_words()}: {expectation.wanted.in_words()}"
    if expectation.is_met:
        return f"{wanted}; came {_times(expectation.matched)}"
    lines = [f"{wanted}; came {_times(expectation.matched)}"]
    if expectation.is_exceeded:
        lines += [f"  {brief(exchange)}" for exchange in expectation.matches]
    else:
        lines += _misses(expectation)
    return "\n".join(lines)


def brief(exchange: Exchange) -> str:
    """`#3 purchase of T0000001, STAN 000007, answered 00`."""
    request = exchange.request
    stan = None if request is None else request.fields.get(11)
    pieces = [f"#{exchange.number} {exchange.function or 'unreadable message'} of {exchange.terminal_id or 'nobody'}"]
    if stan:
        pieces.append(f"STAN {stan}")
    code = exchange.response_code
    pieces.append(f"answered {code}" if code else exchange.outcome or "not answered")
    if exchange.fault:
        pieces.append(f"fault {exchange.fault}")
    return ", ".join(pieces)


def what_came(came: Mapping[str, int]) -> str:
    """`1 sign_in, 2 purchase`."""
    return ", ".join(f"{number} {function}" for function, number in came.items()) or "nothing"


def _misses(expectation: Expectation) -> list[str]:
    """The misses of the wanted function, each in a line; without any, what came at all."""
    near = [miss for miss in expectation.nearest if miss.weight < OTHER_FUNCTION]
    if not near:
        lines = [f"  received: {what_came(expectation.came)}"]
        other = expectation.nearest if expectation.wanted.elements or expectation.wanted.card else []
        return lines + [f"  {brief(miss.exchange)}: {_differences(miss)}" for miss in other[:1]]
    number = expectation.came.get(expectation.wanted.function or "", len(near)) - expectation.matched
    what = expectation.wanted.function or "message"
    if number == 1:
        return [f"  one {what} came: {_differences(near[0])}", f"    ({brief(near[0].exchange)})"]
    return [
        f"  {number} {what} came and did not match; nearest:",
        *(f"    {brief(miss.exchange)}: {_differences(miss)}" for miss in near),
    ]


def _differences(miss: Miss) -> str:
    return "; ".join(map(str, miss.differences))


def _times(number: int) -> str:
    return {0: "0 times", 1: "once"}.get(number, f"{number} times")
