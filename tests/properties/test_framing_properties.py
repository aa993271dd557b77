"""Frames come out of a byte stream as they went in, however the network cuts it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.messages import DIALECTS, EXAMPLES, dialect_of

from pos_specs.framing import Frame, Framer, join_frame

every_dialect = pytest.mark.parametrize("name", DIALECTS)

TPDUS = st.binary(min_size=4, max_size=4).map(lambda addresses: b"\x60" + addresses)


@st.composite
def frames(draw: st.DrawFn, name: str) -> Frame:
    framing = dialect_of(name).framing
    return Frame(
        draw(TPDUS) if framing.tpdu == "swap" else b"",
        draw(st.binary(min_size=6, max_size=6)) if framing.header == "unionpay" else b"",
        draw(st.binary(min_size=1, max_size=60)),
    )


def keep_alive(name: str) -> bytes:
    return b"0000" if dialect_of(name).framing.length == "ascii4" else b"\0\0"


def segments(stream: bytes, cuts: list[int]) -> list[bytes]:
    """The stream cut at the given places, which may repeat (an empty segment) or lie past its end."""
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [stream[start:end] for start, end in pairwise(places)]


@every_dialect
@EXAMPLES
@given(data=st.data())
def test_any_split_and_merge_of_segments_gives_the_same_frames(name: str, data: st.DataObject) -> None:
    framing = dialect_of(name).framing
    sent = data.draw(st.lists(st.one_of(frames(name), st.none()), max_size=6))
    stream = b"".join(keep_alive(name) if frame is None else join_frame(framing, frame) for frame in sent)
    cuts = data.draw(st.lists(st.integers(0, 300), max_size=20))
    framer = Framer(framing)

    received = [frame for segment in segments(stream, cuts) for frame in framer.receive_data(segment)]

    assert [frame for frame in sent if frame is not None] == received
    assert sent.count(None) == framer.keep_alives
    assert (None, 0) == (framer.error, framer.waiting)


@every_dialect
@EXAMPLES
@given(data=st.data())
def test_a_byte_at_a_time_gives_each_frame_with_its_last_byte(name: str, data: st.DataObject) -> None:
    framing = dialect_of(name).framing
    frame = data.draw(frames(name))
    framer = Framer(framing)
    stream = join_frame(framing, frame)

    received = [framer.receive_data(bytes((byte,))) for byte in stream]

    assert [[]] * (len(stream) - 1) + [[frame]] == received


@every_dialect
@EXAMPLES
@given(data=st.data())
def test_frames_before_an_error_are_given_and_nothing_after_it(name: str, data: st.DataObject) -> None:
    framing = dialect_of(name).framing
    good = data.draw(st.lists(frames(name), max_size=4))
    stream = b"".join(join_frame(framing, frame) for frame in good)
    too_long = framing.max_frame_bytes + 1
    bad = b"%04d" % too_long if framing.length == "ascii4" else too_long.to_bytes(2, "big")
    cuts = data.draw(st.lists(st.integers(0, 300), max_size=8))
    framer = Framer(framing)

    received = [frame for part in segments(stream + bad, cuts) for frame in framer.receive_data(part)]

    assert good == received
    assert framer.error is not None
    assert [] == framer.receive_data(stream)
    assert 0 == framer.waiting


@every_dialect
@EXAMPLES
@given(noise=st.lists(st.binary(max_size=50), max_size=10))
def test_noise_ends_in_frames_or_an_error_and_never_buffers_more_than_a_frame(name: str, noise: list[bytes]) -> None:
    framing = dialect_of(name).framing
    framer = Framer(framing)

    for segment in noise:
        framer.receive_data(segment)

    assert framer.waiting <= framing.max_frame_bytes + 4
