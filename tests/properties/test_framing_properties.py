"""Frames come out of a byte stream as they went in, however the network cuts it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.framings import FRAMINGS
from tests.properties.messages import DIALECTS, EXAMPLES, dialect_of

from pos_specs.envelope import Framing
from pos_specs.errors import FramingError
from pos_specs.framing import Frame, Framer, frame_length, join_frame, reply_frame, split_frame

pytestmark = pytest.mark.slow

EVERY = {**FRAMINGS, **{name: dialect_of(name).framing for name in DIALECTS}}

every_framing = pytest.mark.parametrize("framing", [pytest.param(EVERY[name], id=name) for name in EVERY])

TPDUS = st.binary(min_size=4, max_size=4).map(lambda addresses: b"\x60" + addresses)

DIGITS = st.text("0123456789", min_size=9, max_size=9).map(str.encode)

HEADERS = {
    "none": st.just(b""),
    "unionpay": st.binary(min_size=6, max_size=6),
    "base24": DIGITS.map(lambda digits: b"ISO" + digits),
    "hex:0100": st.just(b"\1\0"),
    "text:ISO8583-1993#########": DIGITS.map(lambda digits: b"ISO8583-1993" + digits),
    "text:A|B": st.sampled_from([b"A", b"B"]),
    "hex:D0xx|E0xx": st.tuples(st.sampled_from([b"\xd0", b"\xe0"]), st.binary(min_size=1, max_size=1)).map(b"".join),
}


@st.composite
def frames(draw: st.DrawFn, framing: Framing) -> Frame:
    body = draw(st.binary(min_size=1, max_size=60))
    if framing.length == "none":
        body = body.replace(b"\3", b"\4")
    tpdu = b"" if framing.tpdu == "none" else draw(TPDUS)
    header = HEADERS.get(framing.header, st.just(framing.envelope.header.sent))
    return Frame(tpdu, draw(header), body)


def keep_alive(framing: Framing) -> bytes:
    """A frame of nothing."""
    return join_frame(framing, Frame(b"", b"", b""))


def segments(stream: bytes, cuts: list[int]) -> list[bytes]:
    """The stream cut at the given places, which may repeat (an empty segment) or lie past its end."""
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [stream[start:end] for start, end in pairwise(places)]


@every_framing
@EXAMPLES
@given(data=st.data())
def test_any_split_and_merge_of_segments_gives_the_same_frames(framing: Framing, data: st.DataObject) -> None:
    sent = data.draw(st.lists(st.one_of(frames(framing), st.none()), max_size=6))
    stream = b"".join(keep_alive(framing) if frame is None else join_frame(framing, frame) for frame in sent)
    cuts = data.draw(st.lists(st.integers(0, 300), max_size=20))
    framer = Framer(framing)

    received = [frame for segment in segments(stream, cuts) for frame in framer.receive_data(segment)]

    assert [frame for frame in sent if frame is not None] == received
    assert sent.count(None) == framer.keep_alives
    assert (None, 0) == (framer.error, framer.waiting)


@every_framing
@EXAMPLES
@given(data=st.data())
def test_a_segment_that_is_a_frame_gives_it_the_first_time_and_later(framing: Framing, data: st.DataObject) -> None:
    framer = Framer(framing)

    for frame in data.draw(st.lists(frames(framing), min_size=1, max_size=4)):
        segment = join_frame(framing, frame)
        assert [[frame], [frame]] == [framer.receive_data(segment), framer.receive_data(segment)]
        assert (len(segment), len(frame.tpdu + frame.header + frame.body)) == (
            framing.envelope.lead_bytes + framing.envelope.head_bytes + len(frame.body) + framing.envelope.trail_bytes,
            frame_length(framing, segment),
        )


@every_framing
@EXAMPLES
@given(data=st.data())
def test_a_byte_at_a_time_gives_each_frame_with_its_last_byte(framing: Framing, data: st.DataObject) -> None:
    frame = data.draw(frames(framing))
    framer = Framer(framing)
    stream = join_frame(framing, frame)

    received = [framer.receive_data(bytes((byte,))) for byte in stream]

    assert [[]] * (len(stream) - 1) + [[frame]] == received


@every_framing
@EXAMPLES
@given(data=st.data())
def test_frames_before_an_error_are_given_and_nothing_after_it(framing: Framing, data: st.DataObject) -> None:
    good = data.draw(st.lists(frames(framing), max_size=4))
    stream = b"".join(join_frame(framing, frame) for frame in good)
    longer = Framing(
        **{name: getattr(framing, name) for name in ("length", "tpdu", "header", "counts", "start", "trailer")},
        max_frame_bytes=framing.max_frame_bytes + 1,
    )
    bad = join_frame(longer, Frame(b"", b"", b"7" * longer.max_frame_bytes))
    cuts = data.draw(st.lists(st.integers(0, 300), max_size=8))
    framer = Framer(framing)

    received = [frame for part in segments(stream + bad, cuts) for frame in framer.receive_data(part)]

    assert good == received
    assert f"limit of {framing.max_frame_bytes} bytes" in str(framer.error)
    assert [] == framer.receive_data(stream)
    assert 0 == framer.waiting


@every_framing
@EXAMPLES
@given(noise=st.lists(st.binary(max_size=50), max_size=10))
def test_noise_ends_in_frames_or_an_error_and_never_buffers_more_than_a_frame(
    framing: Framing, noise: list[bytes]
) -> None:
    framer = Framer(framing)

    for segment in noise:
        framer.receive_data(segment)

    envelope = framing.envelope
    assert framer.waiting < framing.max_frame_bytes + envelope.lead_bytes + max(envelope.trail_bytes, 1)


@every_framing
@EXAMPLES
@given(data=st.data())
def test_an_answer_is_a_frame_whose_answer_goes_back_to_where_the_request_came_from(
    framing: Framing, data: st.DataObject
) -> None:
    request = data.draw(frames(framing))
    body = data.draw(frames(framing)).body

    (answer,) = Framer(framing).receive_data(reply_frame(framing, request, body))
    (again,) = Framer(framing).receive_data(reply_frame(framing, answer, request.body))

    swapped = request.tpdu[:1] + request.tpdu[3:5] + request.tpdu[1:3]
    assert (swapped if framing.tpdu == "swap" else request.tpdu, body) == (answer.tpdu, answer.body)
    assert (request.tpdu, answer.header, request.body) == (again.tpdu, again.header, again.body)
    assert framing.envelope.header.answer(request.header) == answer.header


@every_framing
@EXAMPLES
@given(data=st.data())
def test_the_longest_frame_passes_and_one_byte_more_does_not(framing: Framing, data: st.DataObject) -> None:
    frame = data.draw(frames(framing))
    room = framing.max_frame_bytes - len(frame.tpdu) - len(frame.header)

    assert [frame._replace(body=b"7" * room)] == Framer(framing).receive_data(
        join_frame(framing, frame._replace(body=b"7" * room))
    )
    for write in (
        lambda body: join_frame(framing, frame._replace(body=body)),
        lambda body: reply_frame(framing, frame, body),
    ):
        assert (
            len(write(b"7" * room))
            == framing.max_frame_bytes + framing.envelope.lead_bytes + framing.envelope.trail_bytes
        )
        with pytest.raises(FramingError, match=f"is over the limit of {framing.max_frame_bytes}"):
            write(b"7" * (room + 1))


@every_framing
@EXAMPLES
@given(data=st.data())
def test_content_alone_is_split_as_in_the_stream(framing: Framing, data: st.DataObject) -> None:
    frame = data.draw(frames(framing))

    assert frame == split_frame(framing, frame.tpdu + frame.header + frame.body)
