"""Length, TPDU and header: cutting frames and putting answers back."""

import pytest

from pos_specs.envelope import HEADS_KEPT, Framing
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


def plain(length: str, **more: object) -> Framing:
    """A framing without TPDU and header, and frames up to 300 bytes."""
    return Framing(**{"length": length, "tpdu": "none", "header": "none", "max_frame_bytes": 300, **more})  # type: ignore[arg-type]


STX_LRC = {"start": "stx", "trailer": "etx-lrc"}


@pytest.mark.parametrize(
    ("framing", "wire"),
    [
        (plain("binary2"), "0004 30383030"),
        (plain("binary2", counts=("itself",)), "0006 30383030"),
        (plain("binary2-le"), "0400 30383030"),
        (plain("binary2-le", counts=("itself",)), "0600 30383030"),
        (plain("binary3"), "000004 30383030"),
        (plain("binary4"), "00000004 30383030"),
        (plain("binary4", counts=("itself",)), "00000008 30383030"),
        (plain("binary2-zeros"), "00040000 30383030"),
        (plain("binary2-zeros", counts=("itself",)), "00080000 30383030"),
        (plain("zeros-binary2"), "00000004 30383030"),
        (plain("bcd2"), "0004 30383030"),
        (plain("ascii4"), "30303034 30383030"),
        (plain("hex4"), "30303034 30383030"),
        (plain("none", trailer="etx"), "30383030 03"),
        (plain("binary2", trailer="etx"), "0004 30383030 03"),
        (plain("binary2", trailer="etx", counts=("trailer",)), "0005 30383030 03"),
        (plain("bcd2", **STX_LRC), "02 0004 30383030 03 0F"),
        (plain("bcd2", counts=("trailer",), **STX_LRC), "02 0006 30383030 03 0D"),
        (plain("none", **STX_LRC), "02 30383030 03 0B"),
        (plain("binary2", tpdu="echo"), "0009 6000030000 30383030"),
        (plain("binary2", tpdu="swap", header="hex:0100"), "000B 6000030000 0100 30383030"),
        (plain("binary2", header="base24"), "0010 49534F303236303030303130 30383030"),
        (plain("binary2", header="text:A|B"), "0005 42 30383030"),
    ],
)
def test_each_framing_has_its_form_on_the_wire(framing: Framing, wire: str) -> None:
    headers = {"hex:0100": b"\1\0", "base24": b"ISO026000010", "text:A|B": b"B"}
    tpdu = bytes.fromhex("6000030000") if framing.tpdu != "none" else b""
    frame = Frame(tpdu, headers.get(framing.header, b""), b"0800")

    assert bytes.fromhex(wire) == join_frame(framing, frame)
    assert [frame] == Framer(framing).receive_data(bytes.fromhex(wire))


@pytest.mark.parametrize(
    ("length", "counter"),
    [
        ("binary2", "0123"),
        ("binary2-le", "2301"),
        ("binary3", "000123"),
        ("binary4", "00000123"),
        ("binary2-zeros", "01230000"),
        ("zeros-binary2", "00000123"),
        ("bcd2", "0291"),
        ("ascii4", "30323931"),
        ("hex4", "30313233"),
    ],
)
def test_a_length_of_291_bytes_is_told_in_each_way(length: str, counter: str) -> None:
    assert bytes.fromhex(counter) + b"7" * 291 == join_frame(plain(length), Frame(b"", b"", b"7" * 291))


def test_hex_digits_of_a_length_are_read_in_both_cases_and_written_small() -> None:
    framing = plain("hex4")

    for counter in (b"00Ab", b"00AB", b"00ab"):
        (frame,) = Framer(framing).receive_data(counter + b"7" * 0xAB)
        assert b"00ab" + b"7" * 0xAB == join_frame(framing, frame)


@pytest.mark.parametrize(
    ("framing", "wire"),
    [
        (plain("binary2", counts=("itself",)), "0000 0002"),
        (plain("binary2", trailer="etx", counts=("trailer",)), "0000 000103"),
        (plain("binary2", trailer="etx"), "000003 000003"),
        (plain("binary2-zeros"), "00000000 00000000"),
        (plain("binary3"), "000000 000000"),
        (plain("bcd2", **STX_LRC), "0200000303 0200000303"),
    ],
)
def test_no_content_is_a_keep_alive_in_every_framing(framing: Framing, wire: str) -> None:
    framer = Framer(framing)

    assert [] == framer.receive_data(bytes.fromhex(wire))

    assert (2, None, 0) == (framer.keep_alives, framer.error, framer.waiting)


@pytest.mark.parametrize(
    ("framing", "data", "reason"),
    [
        (
            plain("binary2", counts=("itself",)),
            "0001",
            "length 1 is less than the 2 bytes it counts besides the message",
        ),
        (plain("bcd2"), "3A01", "length 3A01 is not BCD"),
        (plain("bcd2"), "0301", "length 301 is over the limit of 300 bytes"),
        (plain("hex4"), "3030302B", "length is not four hex digits in ASCII"),
        (plain("binary2-zeros"), "00046000", "6000 behind the length instead of two zero bytes"),
        (plain("zeros-binary2"), "00040000", "0004 before the length instead of two zero bytes"),
        (plain("binary4"), "30303034", "length 808464436 is over the limit of 300 bytes (ASCII digits?"),
        (plain("binary2", trailer="etx"), "0004 30383030 30", "byte 30 instead of ETX (03) behind 4 bytes"),
        (plain("bcd2", **STX_LRC), "02 0004 30383030 03 0C", "LRC 0C instead of 0F"),
        (plain("bcd2", **STX_LRC), "00", "byte 00 instead of STX (02)"),
        (plain("none", trailer="etx"), "30" * 301, "no ETX (03) within the limit of 300 bytes"),
        (plain("binary2", tpdu="echo"), "0005 6800030000", "TPDU id 68 instead of 60: an error packet"),
        (
            plain("binary2", tpdu="swap", header="hex:0100"),
            "0009 6000030000 02003020",
            "header 0200 instead of 0100: byte 1 does not fit",
        ),
        (plain("binary2", header="text:A|B"), "0005 4330383030", "header 43 instead of 41 or 42: byte 1 does not fit"),
        (
            plain("binary2", header="base24"),
            "0010 49534F303236304130303130 30383030",
            "header 49534F3032363041… instead of 49534F3#3#3#3#3#3#3#xxxx: byte 8 does not fit",
        ),
        (
            plain("binary2", header="base24"),
            "0004 30383030",
            "frame of 4 bytes is shorter than its 12 bytes of headers",
        ),
    ],
)
def test_what_breaks_a_framing_is_told(framing: Framing, data: str, reason: str) -> None:
    framer = Framer(framing)

    assert [] == framer.receive_data(bytes.fromhex(data))

    assert str(framer.error).startswith(reason)


def test_of_a_message_in_place_of_a_header_no_card_number_is_told() -> None:
    body = bytes.fromhex("0200 7020000000000000 16 6222021234567890 000000")
    framer = Framer(plain("binary2", header="text:ISO8583-1993#########"))

    framer.receive_data(len(body).to_bytes(2, "big") + body)

    assert "header 0200702000000000… instead of" in str(framer.error)
    assert "6222" not in str(framer.error)


def test_a_frame_that_only_an_etx_ends_cannot_hold_one() -> None:
    with pytest.raises(FramingError, match=r"byte 2 of the frame is an ETX \(03\), which would end it"):
        join_frame(plain("none", trailer="etx"), Frame(b"", b"", b"08\x0300"))


@pytest.mark.parametrize(
    ("framing", "request_head", "answer_head"),
    [
        (plain("binary2", tpdu="swap"), "6001230456", "6004560123"),
        (plain("binary2", tpdu="echo"), "6001230456", "6001230456"),
        (plain("binary2", tpdu="swap", header="hex:0100"), "6001230456 0100", "6004560123 0100"),
        (plain("binary2", header="hex:01xx", header_answer="hex:02xx"), "01AB", "02AB"),
        (plain("binary2", header="unionpay"), "60311B31FFF1", "60311031FFF1"),
        (plain("binary2", header="base24"), b"ISO006000010".hex(), b"ISO006000015".hex()),
        (plain("binary2", header="base24"), b"ISO026017070".hex(), b"ISO026000075".hex()),
        (
            plain("binary2", header="base24", header_answer="text:xxxxxxxxxx51"),
            b"ISO006000010".hex(),
            b"ISO006000051".hex(),
        ),
        (plain("binary2", header="text:A|B"), "42", "42"),
    ],
)
def test_an_answer_has_the_head_that_the_framing_says(framing: Framing, request_head: str, answer_head: str) -> None:
    (request,) = Framer(framing).receive_data(join_frame(framing, Frame(b"", b"", bytes.fromhex(request_head) + b"?")))

    first = reply_frame(framing, request, b"!")

    assert bytes.fromhex(answer_head) + b"!" == first[2:]
    assert first == reply_frame(framing, request, b"!")
    (answer,) = Framer(framing).receive_data(first)
    assert b"!" == answer.body


def test_what_a_terminal_sends_first_fits_the_framing() -> None:
    sent = {
        header: plain("binary2", header=header).envelope.header.sent for header in ("unionpay", "base24", "text:A|B")
    }

    assert {"unionpay": bytes.fromhex("603100311000"), "base24": b"ISO026000010", "text:A|B": b"A"} == sent
    assert b"ISO8583-1993000000000" == plain("binary2", header="text:ISO8583-1993#########").envelope.header.sent
    assert b"\1\0" == plain("binary2", header="hex:0100").envelope.header.sent


def test_more_heads_than_are_remembered_are_read_and_answered_all_the_same() -> None:
    framing = plain("binary2", tpdu="swap")
    framer = Framer(framing)

    for number in [*range(HEADS_KEPT + 5), 0, 1]:
        head, back = f"60{number:04X}0003", f"600003{number:04X}"
        (frame,) = framer.receive_data(bytes.fromhex(f"0007{head}0800"))
        assert bytes.fromhex(f"0007{back}0810") == reply_frame(framing, frame, b"\x08\x10")
        assert HEADS_KEPT >= max(len(framing.envelope._heads), len(framing.envelope._answers))


def test_a_repr_shows_no_message() -> None:
    frame = Frame(b"\x60\0\0\0\0", b"", b"6222021234567890123")

    assert "Frame(tpdu=6000000000, header=, body of 19 bytes)" == repr(frame)
