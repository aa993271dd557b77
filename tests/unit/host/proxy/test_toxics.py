"""What each toxic makes of the pieces that pass it: in memory, on a time that is a number."""

from __future__ import annotations

from random import Random

import pytest

from pos_host.proxy.flow import Flow
from pos_host.proxy.pieces import End, Piece
from pos_host.proxy.toxic_documents import ToxicError, read_toxic

Sent = tuple[float, bytes, End]


def a_flow(*toxics: dict[str, object], seed: int = 1) -> Flow:
    flow = Flow("downstream", lambda name: Random(f"{seed}:{name}"))
    flow.set_toxics([read_toxic(toxic) for toxic in toxics], 0.0)
    return flow


def toxic(kind: str, **attributes: float) -> dict[str, object]:
    return {"type": kind, "attributes": attributes}


def passed(flow: Flow, *pieces: Sent, until_s: float = 1000.0) -> list[Sent]:
    """What leaves, and when, if these pieces come at their times."""
    left: list[Sent] = []
    for at_s, data, end in pieces:
        left += drained(flow, at_s, including=False)
        flow.take(data, end, at_s)
    return left + drained(flow, until_s, including=True)


def drained(flow: Flow, until_s: float, *, including: bool) -> list[Sent]:
    left: list[Sent] = []
    while (at_s := flow.next_s()) is not None and (at_s < until_s or (including and at_s == until_s)):
        left += [(round(at_s, 6), piece.data, piece.end) for piece in flow.due(at_s)]
    return left


def one(data: bytes = b"abcdef", at_s: float = 1.0) -> Sent:
    return (at_s, data, "")


END: Sent = (9.0, b"", "fin")


def test_without_toxics_everything_passes_at_once() -> None:
    assert [one(), END] == passed(a_flow(), one(), END)


def test_latency_delays_data_and_keeps_the_order() -> None:
    flow = a_flow(toxic("latency", latency=200))

    assert [one(b"a", 1.2), one(b"b", 1.3)] == passed(flow, one(b"a", 1.0), one(b"b", 1.1))


def test_jitter_never_lets_a_piece_overtake_another() -> None:
    flow = a_flow(toxic("latency", latency=100, jitter=100))

    left = passed(flow, *(one(bytes((number,)), 1.0 + number / 1000) for number in range(50)))

    assert list(range(50)) == [data[0] for _, data, _ in left]
    assert 1.0 <= left[0][0] <= 1.2
    assert sorted(at_s for at_s, _, _ in left) == [at_s for at_s, _, _ in left]


def test_jitter_alone_delays_by_no_more_than_it_says() -> None:
    left = passed(a_flow(toxic("jitter", jitter=50)), *(one(b"x", float(number)) for number in range(1, 20)))

    delays = [round(at_s - number, 6) for number, (at_s, _, _) in enumerate(left, 1)]
    assert all(0 <= delay <= 0.05 for delay in delays)
    assert len(set(delays)) > 2


def test_bandwidth_lets_a_thousand_bytes_a_second_through_per_kilobyte() -> None:
    flow = a_flow(toxic("bandwidth", rate=1))

    assert [one(bytes(500), 1.5), one(bytes(1000), 2.5)] == passed(flow, one(bytes(500)), one(bytes(1000)))


def test_no_bandwidth_lets_nothing_through() -> None:
    assert [] == passed(a_flow(toxic("bandwidth", rate=0)), one())


def test_slow_close_holds_only_the_end() -> None:
    assert [one(), (9.5, b"", "fin")] == passed(a_flow(toxic("slow_close", delay=500)), one(), END)


def test_timeout_stops_data_and_closes_after_its_time() -> None:
    assert [(2.0, b"", "close")] == passed(a_flow(toxic("timeout", timeout=2000)), one())


def test_timeout_zero_closes_when_it_is_taken_away() -> None:
    flow = a_flow(toxic("timeout"))

    assert [] == passed(flow, one(), until_s=100.0)
    flow.set_toxics([], 100.0)
    assert [(100.0, b"", "close")] == passed(flow)


def test_reset_peer_lets_pass_until_it_resets() -> None:
    assert [one(), (2.0, b"", "reset")] == passed(a_flow(toxic("reset_peer", timeout=2000)), one())


def test_reset_peer_zero_resets_at_once() -> None:
    assert [(0.0, b"", "reset")] == passed(a_flow(toxic("reset_peer")), one())[:1]


def test_slicer_cuts_and_waits_between() -> None:
    flow = a_flow(toxic("slicer", average_size=2, delay=10_000))

    assert [one(b"ab", 1.0), one(b"cd", 1.01), one(b"ef", 1.02)] == passed(flow, one())


def test_slicer_varies_and_loses_nothing() -> None:
    data = bytes(range(256))
    left = passed(a_flow(toxic("slicer", average_size=10, size_variation=5)), one(data), END)

    assert data == b"".join(data for _, data, _ in left)
    assert len({len(data) for _, data, _ in left[:-2]}) > 2
    assert END == left[-1]


def test_limit_data_closes_behind_so_many_bytes() -> None:
    flow = a_flow(toxic("limit_data", bytes=8))

    assert [one(), (2.0, b"ab", "close")] == passed(flow, one(), one(b"abcd", 2.0), one(b"x", 3.0))


def test_corrupt_turns_one_bit_over_where_it_is_told() -> None:
    ((_, data, _),) = passed(a_flow(toxic("corrupt", offset=2)), one())

    assert (b"ab", b"def") == (data[:2], data[3:])
    assert 1 == (data[2] ^ b"c"[0]).bit_count()


def test_corrupt_with_no_chance_does_nothing() -> None:
    assert [one()] == passed(a_flow(toxic("corrupt", chance=0)), one())


def test_duplicate_sends_twice_the_copy_later() -> None:
    flow = a_flow(toxic("duplicate", delay=50))

    assert [one(b"a", 1.0), one(b"a", 1.05)] == passed(flow, one(b"a"))


def test_reorder_lets_the_next_piece_pass_first() -> None:
    flow = a_flow(toxic("reorder", delay=500))

    assert [one(b"b", 1.2), one(b"a", 1.2)] == passed(flow, one(b"a", 1.0), one(b"b", 1.2))


def test_reorder_waits_no_longer_than_its_delay() -> None:
    assert [one(b"a", 1.5)] == passed(a_flow(toxic("reorder", delay=500)), one(b"a", 1.0))


def test_reorder_loses_nothing_at_the_end_of_a_connection() -> None:
    assert [one(b"a", 1.1), (1.1, b"", "fin")] == passed(a_flow(toxic("reorder")), one(b"a"), (1.1, b"", "fin"))


def test_reorder_that_is_taken_away_lets_go_what_it_held() -> None:
    flow = a_flow(toxic("reorder", delay=5000))
    flow.take(b"a", "", 1.0)

    flow.set_toxics([], 2.0)

    assert [one(b"a", 2.0)] == passed(flow)


def test_half_open_passes_neither_data_nor_an_end_once_it_began() -> None:
    flow = a_flow(toxic("half_open", bytes=4))

    assert [one(b"abcd")] == passed(flow, one(), one(b"x", 2.0), END)


def test_toxics_work_one_after_the_other() -> None:
    flow = a_flow(toxic("slicer", average_size=3), toxic("latency", latency=100))

    assert [one(b"abc", 1.1), one(b"def", 1.1)] == passed(flow, one())


def test_toxicity_is_the_share_of_connections() -> None:
    harmed = [passed(a_flow({**toxic("timeout"), "toxicity": 0.3}, seed=seed), one()) == [] for seed in range(300)]

    assert 60 < sum(harmed) < 120


def test_the_same_seed_does_the_same_harm() -> None:
    kinds = [toxic("corrupt", chance=0.5), toxic("duplicate", chance=0.5), toxic("reorder", chance=0.5)]
    pieces = [one(bytes(range(20)), float(number)) for number in range(1, 30)]

    first, again, other = (passed(a_flow(*kinds, seed=seed), *pieces) for seed in (5, 5, 6))

    assert first == again
    assert first != other


def test_the_other_streams_toxics_are_left_alone() -> None:
    assert [one()] == passed(a_flow({**toxic("timeout"), "stream": "upstream"}), one())


def test_a_toxic_that_stays_goes_on_as_it_was() -> None:
    limit, slow = read_toxic(toxic("limit_data", bytes=8)), read_toxic(toxic("slow_close", delay=1))
    flow = Flow("downstream", lambda name: Random(name))
    flow.set_toxics([limit], 0.0)
    flow.take(b"abcdef", "", 1.0)

    flow.set_toxics([limit, slow], 2.0)
    flow.take(b"abcdef", "", 3.0)

    assert b"abcdefab" == b"".join(piece.data for piece in flow.due(5.0))


def test_what_waits_is_counted_until_it_leaves() -> None:
    flow = a_flow(toxic("latency", latency=1000))
    flow.take(b"abcdef", "", 0.0)

    assert 6 == flow.waiting_bytes
    assert [Piece(1.0, b"abcdef")] == flow.due(1.0)
    assert 0 == flow.waiting_bytes


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ([], "toxic: must be an object"),
        ({"type": "plague"}, "type: must be one of latency, jitter, bandwidth"),
        ({"type": "timeout", "stream": "sideways"}, "stream: must be downstream or upstream"),
        ({"type": "timeout", "toxicity": 2}, "toxicity: must be a number from 0 to 1"),
        ({"type": "timeout", "attributes": {"time": 1}}, "attributes.time: is not known; a timeout has timeout"),
        ({"type": "down", "attributes": {"time": 1}}, "attributes.time: is not known; a down has none"),
        ({"type": "latency", "attributes": {"latency": -1}}, "attributes.latency: must be a number from 0 to 3.6e+06"),
        ({"type": "latency", "attributes": {"latency": True}}, "attributes.latency: must be a number"),
        ({"type": "latency", "name": "a b"}, "name: must be up to 64 letters"),
        ({"type": "latency", "colour": 1}, "colour: is not known"),
    ],
)
def test_a_wrong_toxic_is_refused_with_its_key(document: object, complaint: str) -> None:
    with pytest.raises(ToxicError) as raised:
        read_toxic(document)
    assert complaint in str(raised.value)


def test_a_toxic_is_named_after_its_kind_and_stream() -> None:
    made = read_toxic({"type": "latency", "attributes": {"latency": 5}})

    assert {
        "name": "latency_downstream",
        "type": "latency",
        "stream": "downstream",
        "toxicity": 1.0,
        "attributes": {"latency": 5, "jitter": 0},
    } == made.to_json()
