"""Length, TPDU and header: cutting frames and putting answers back."""

import pytest

from pos_specs.errors import FramingError
from pos_specs.framing import Frame, Framer, join_frame, reply_frame
from pos_specs.loader import load_dialect

UNIONPAY = load_dialect("unionpay").framing
HYPERCOM = load_dialect("hypercom").framing
ASCII = load_dialect("iso87-ascii").framing


def test_a_frame_is_tpdu_header_and_body() -> None:
    (frame,) = Framer(UNIONPAY).receive_data(bytes.fromhex("000D 6000030000 603100311300 0800"))

    assert Frame(bytes.fromhex("6000030000"), bytes.fromhex("603100311300"), b"\x08\x00") == frame


def test_an_answer_goes_back_with_the_tpdu_addresses_exchanged() -> None:
    request = Frame(bytes.fromhex("6000030001"), b"", b"request")

    assert bytes.fromhex("000B 6000010003") + b"answer" == reply_frame(HYPERCOM, request, b"answer")


def test_an_answer_repeats_the_header_with_processing_requirement_zero() -> None:
    request = Frame(bytes.fromhex("6000030001"), bytes.fromhex("60311B311300"), b"")

    assert bytes.fromhex("000C 6000010003 603110311300 02") == reply_frame(UNIONPAY, request, b"\x02")


def test_an_answer_without_tpdu_is_length_and_body() -> None:
    assert b"00040810" == reply_frame(ASCII, Frame(b"", b"", b"0800"), b"0810")


def test_a_length_of_zero_is_a_keep_alive() -> None:
    framer = Framer(ASCII)

    assert [] == framer.receive_data(b"00000000")

    assert (2, None) == (framer.keep_alives, framer.error)


def test_the_longest_frame_passes_and_one_byte_more_does_not() -> None:
    body = b"\0" * HYPERCOM.max_frame_bytes
    frame = Frame(b"\x60\0\0\0\0", b"", body[5:])

    assert [frame] == Framer(HYPERCOM).receive_data(join_frame(HYPERCOM, frame))
    with pytest.raises(FramingError, match="over the limit of 4096"):
        join_frame(HYPERCOM, Frame(b"\x60\0\0\0\0", b"", body))


@pytest.mark.parametrize(
    ("framing", "data", "reason"),
    [
        (HYPERCOM, "FFFF", "length 65535 is over the limit of 4096 bytes"),
        (HYPERCOM, "0003600003", "frame of 3 bytes is shorter than its 5 bytes of headers"),
        (UNIONPAY, "00086000030000603100", "frame of 8 bytes is shorter than its 11 bytes of headers"),
        (HYPERCOM, "00056100030000", "TPDU id 61 instead of 60: no TPDU"),
        (HYPERCOM, "00056800030000", "TPDU id 68 instead of 60: an error packet"),
        (ASCII, "30303061", "length is not four ASCII digits"),
        (ASCII, "B2303030", "length is not four ASCII digits"),
        (ASCII, "39393939", "length 9999 is over the limit of 4096 bytes"),
    ],
)
def test_bytes_that_are_no_frame_are_refused_with_the_reason(framing: object, data: str, reason: str) -> None:
    framer = Framer(framing)  # type: ignore[arg-type]

    assert [] == framer.receive_data(bytes.fromhex(data))

    assert framer.error is not None
    assert framer.error.reason.startswith(reason)


def test_a_repr_shows_no_message() -> None:
    frame = Frame(b"\x60\0\0\0\0", b"", b"6222021234567890123")

    assert "Frame(tpdu=6000000000, header=, body of 19 bytes)" == repr(frame)
