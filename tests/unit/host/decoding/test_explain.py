"""What is said of bytes that nobody can read: what is seen, where reading failed, what to try."""

import gzip

import pytest
from tests.properties.framings import FRAMINGS
from tests.unit.host.decoding.commands import documents, run
from tests.vectors.collection import Entry, entries, parameters

from pos_host.decoding.explain import Explanation, explain, framing_in_words
from pos_host.decoding.first_look import look_at
from pos_specs.framing import Frame, join_frame
from pos_specs.language import open_language, shipped_languages

BROKEN = {entry["name"]: bytes.fromhex(entry["hex"]) for entry in entries("broken_frames")}
CARD_NUMBER = "4761739001010119"


def explained(data: bytes, *, mask: bool = False) -> Explanation:
    return explain(data, shipped_languages(), mask=mask)


def framed(body: bytes) -> bytes:
    content = bytes.fromhex("6000030000") + body
    return len(content).to_bytes(2, "big") + content


def test_the_facts_come_first_then_where_reading_failed() -> None:
    found = explained(framed(BROKEN["DE62 LLLVAR 0999 in a short frame"]))

    assert (
        "first two bytes 00 51 match the length that follows",
        "60 00 03 00 00 looks like a TPDU",
        "MTI 0200 in BCD",
        "bitmap (binary) says 3, 4, 11, 22, 24, 25, 35, 41, 42, 62",
    ) == found.seen
    assert (
        "element 62 at byte 77 runs past the end: hypercom gives it a 2-byte BCD length, which says 999,"
        " and 6 bytes follow"
    ) == found.failed


FAILURES = {
    "truncated in DE42": "element 42 at byte 53 runs past the end: hypercom gives it the format ans15, and 3 bytes",
    "non-BCD nibble in DE4": "element 4 at byte 13: not all digits (hypercom gives it the format n12)",
    "non-BCD length of DE35": "element 35 at byte 27: its length is no number (hypercom gives it a 1-byte BCD length)",
    "bitmap misses DE62 that is present": "element 42 at byte 68: bytes are left over behind it, of which the bitmap",
    "moov BCD length out of range sample": "element 28 at byte 66 runs past the end: ",
    "length header one too large": "hypercom: length 82, but only 81 bytes follow",
    "TPDU id 0x68 (error packet)": "hypercom: TPDU id 68 instead of 60",
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_names_place_reason_and_what_the_dialect_expected(name: str) -> None:
    assert explained(BROKEN[name]).failed.startswith(FAILURES[name])


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "looks like an HTTP request"),
        (bytes.fromhex("160301020001000200"), "looks like a TLS handshake"),
        (b"<isomsg></isomsg>", "looks like XML"),
        (gzip.compress(b"0800", mtime=0), "looks like gzip"),
        (BROKEN["two frames glued in one TCP segment"].hex().encode(), "the bytes are hex digits in ASCII"),
        (BROKEN["length header one too large"], "first two bytes 00 52 say 82, but 81 bytes follow"),
        (BROKEN["length header one too small"], "first two bytes 00 50 say 80, but 81 bytes follow"),
        (BROKEN["length header little endian"], "first two bytes, the low one first, 51 00 match"),
        (BROKEN["length header as 4 ASCII digits"], "first four bytes, as ASCII digits, 30 30 38 31 match"),
        (BROKEN["two frames glued in one TCP segment"], "match the length of a frame, behind which is another"),
        (BROKEN["TPDU id 0x68 (error packet)"], "68 00 03 00 00 looks like the TPDU of an error packet"),
        (BROKEN["j8583 secondary bitmap missing"], "MTI 0200 in ASCII, but no whole bitmap behind it"),
        (b"\x63\x00\x03\x00\x00\xca\xfe\xba\xbe\x12\x13\x14\x15", "63 may begin the TPDU of an enciphered message"),
        (b"", "no MTI with a bitmap behind it; what is there begins with nothing"),
    ],
)
def test_what_bytes_look_like_is_said(data: bytes, fact: str) -> None:
    assert fact in "; ".join(look_at(data).facts)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("signin_req_bpos_003", "60 31 00 01 10 01 looks like a UnionPay header"),
        ("BASE24 0800 logon", "looks like a BASE24 header"),
        ("99Bill 0800 with 2-byte version after TPDU", "01 00 looks like two bytes of version"),
        ("0800 with 5-byte application header", "10 02 23 00 00, 5 bytes before the MTI, a header that is not known"),
    ],
)
def test_headers_are_known_by_sight(name: str, words: str) -> None:
    (entry,) = [entry for entry in (*entries("unionpay"), *entries("iso87")) if entry["name"] == name]

    assert any(words in fact for fact in look_at(bytes.fromhex(entry["hex"])).facts)


@pytest.mark.parametrize("entry", [*parameters("unionpay"), *parameters("iso87")])
def test_mti_and_bitmap_of_every_message_are_seen(entry: Entry) -> None:
    fields = entry["fields"]
    mti = fields.get("t") or fields["0"]
    numbers = [number for number in fields if number.isdigit() and number not in ("0", "1")]

    facts = look_at(bytes.fromhex(entry["hex"])).facts

    assert facts[-2].startswith(f"MTI {mti} in ")
    assert facts[-1].endswith(f" says {', '.join(sorted(numbers, key=int))}")


@pytest.mark.parametrize("name", FRAMINGS)
def test_every_form_of_length_is_seen(name: str) -> None:
    framing, language = FRAMINGS[name], open_language("iso87-ascii")
    (entry,) = [entry for entry in entries("iso87") if entry["name"] == "0800 pure ASCII with secondary bitmap"]
    tpdu = b"" if framing.tpdu == "none" else bytes.fromhex("6000030000")
    data = join_frame(framing, Frame(tpdu, framing.envelope.header.sent, bytes.fromhex(entry["hex"])))

    facts = "; ".join(look_at(data).facts)

    assert language.decode(bytes.fromhex(entry["hex"])).mti in facts
    assert (framing.length != "none") == ("match the length that follows" in facts)
    assert (framing.trailer != "none") == ("ends with ETX (03)" in facts)
    assert (framing.trailer == "etx-lrc") == ("a right LRC" in facts)
    assert bool(tpdu) == ("looks like a TPDU" in facts)


PROPOSED = {
    "0800 n3 right padded with F": '[elements] 24 = { pad = "right" }',
    "0800 odd PAN left padded with 0": '[elements] 2 = { pad = "left" }',
}


@pytest.mark.parametrize("name", PROPOSED)
def test_a_change_that_lets_a_message_be_read_is_proposed(name: str) -> None:
    (entry,) = [entry for entry in entries("iso87") if entry["name"] == name]

    found = explain(bytes.fromhex(entry["hex"]), [open_language("hypercom")], mask=False)

    assert (f"a dialect that extends hypercom with {PROPOSED[name]}",) == found.tries


def test_a_proposed_change_does_what_it_promises(tmp_path: object) -> None:
    from pathlib import Path

    (entry,) = [entry for entry in entries("iso87") if entry["name"] == "0800 odd PAN left padded with 0"]
    file = Path(str(tmp_path)) / "mine.toml"
    file.write_text(
        '[dialect]\nextends = "hypercom"\nname = "mine"\ntitle = "Mine"\n[elements]\n2 = { pad = "left" }\n', "utf-8"
    )

    assert 2 == run("decode", "--dialect", "hypercom", entry["hex"]).exit_code
    assert 0 == run("decode", "--dialect", str(file), entry["hex"]).exit_code


def test_a_bitmap_that_always_has_128_bits_is_found_out() -> None:
    (entry,) = [entry for entry in entries("iso87") if entry["name"] == "iso8583tool 0200-financial-request"]

    found = explained(bytes.fromhex(entry["hex_original"]))

    assert ('a dialect that extends iso87-ascii with [wire] second_bitmap = "always"',) == found.tries


def test_a_message_that_nothing_but_its_header_keeps_from_being_read_is_said_to_be_one() -> None:
    (entry,) = [entry for entry in entries("iso87") if entry["spec"] == "termapp_a"]

    found = explain(bytes.fromhex(entry["hex"]), [open_language("iso93-ascii")], mask=False)

    assert "41 looks like a Postilion header" in found.seen
    assert "iso93-ascii can read what stands from byte 1 on, but not what stands before it" == found.failed


def test_a_dialect_that_is_written_otherwise_says_so() -> None:
    ascii_message = b"0800" + b"0020000000C00000" + b"000001T0000001M00000000000001"

    found = explain(ascii_message, [open_language("hypercom")], mask=False)

    assert "hypercom has its MTI in BCD and a bitmap that is binary" == found.failed


@pytest.mark.parametrize("entry", parameters("broken_frames"))
def test_no_explanation_holds_a_card_number(entry: Entry) -> None:
    data = bytes.fromhex(entry["hex"])

    for part in (data, data[1:], data[7:], data[data.find(bytes.fromhex(CARD_NUMBER)) :]):
        told = explained(part, mask=True).in_one_line().replace(" ", "")
        assert CARD_NUMBER[:8] not in told
        assert CARD_NUMBER[8:] not in told


@pytest.mark.parametrize("begin", ["2221001010101019", "6011000990139424", "1234567890123456", "0200476173900101"])
def test_a_card_number_that_looks_like_a_message_or_a_tpdu_is_not_shown(begin: str) -> None:
    data = bytes.fromhex(begin + "D2212201114384448931323334353637383030" * 2)

    told = explained(data, mask=True).in_one_line().replace(" ", "")

    assert begin[:10] not in told
    assert "bitmap(binary)says" not in told


def test_decode_tells_it_in_one_line_and_as_json() -> None:
    data = framed(BROKEN["DE62 LLLVAR 0999 in a short frame"]).hex()

    told = run("decode", data)
    (document,) = documents(run("decode", "--json", data))

    assert 2 == told.exit_code
    assert 1 == len(told.stderr.splitlines())
    assert "; seen: first two bytes 00 51 match the length that follows; 60 00 03 00 00 looks like" in told.stderr
    assert ("62", 77) == (document["error"]["field"], document["error"]["offset"])
    assert document["explanation"]["failed"].startswith("element 62 at byte 77 runs past the end")
    assert "MTI 0200 in BCD" in document["explanation"]["seen"]
    assert [] == document["explanation"]["try"]


def test_what_is_no_message_is_not_blamed_on_a_dialect() -> None:
    data = b"GET / HTTP/1.1\r\n\r\n".hex()

    told = run("decode", data)
    (document,) = documents(run("decode", "--json", data))

    assert (2, "pos-host decode: nothing fits; seen: looks like an HTTP request\n") == (told.exit_code, told.stderr)
    assert "nothing fits" == document["error"]["message"]
    assert {} == document["fields"]


def test_a_framing_is_told_in_words() -> None:
    assert "2-byte length, TPDU, 6-byte header" == framing_in_words(open_language("unionpay").dialect.framing)
    assert "2-byte length, no TPDU, 12-byte header, ETX" == framing_in_words(
        open_language("base24-pos").dialect.framing
    )
    assert "STX, length of 2 bytes in BCD, no TPDU, no header, ETX and LRC" == framing_in_words(
        FRAMINGS["stx, bcd2, etx and lrc"]
    )
