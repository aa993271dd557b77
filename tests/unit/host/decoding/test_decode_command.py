"""`pos-host decode`: hex in, names out."""

import contextlib
import os
import pty
import subprocess
import sys

import pytest
from tests.unit.host.decoding.commands import documents, run
from tests.vectors.collection import Entry as Vector
from tests.vectors.collection import entries, parameters, shipped_dialect, unionpay_body

SIGN_IN = (
    "003C6000030000603100311300 0800 0020000000C00012 000003 3130303030313631"
    "383830323130303130323130313632 0011 000000010030 0003 303120"
)
PURCHASE = (
    "0200 7024048000C08010 16 4761739001010119 000000 000000000100 000001 2912 0021 00"
    "5430303030303031 4D3030303030303030303030303031 313536 0011 220000010000"
).replace("0021", "0210")
UNREADABLE = "0200 6000000000000000 06 62220A 000000"


def test_a_message_is_one_json_document_with_fields_and_parts() -> None:
    result = run("decode", "--json", SIGN_IN)

    (document,) = documents(result)
    assert 0 == result.exit_code
    assert {
        "dialect": "unionpay",
        "framing": {"starts_at": "length", "length": 60, "tpdu": "6000030000", "header": "603100311300"},
        "mti": "0800",
        "function": "sign_in",
        "fields": {"11": "000003", "41": "10000161", "42": "880210010210162", "60": "00000001003", "63": "01 "},
        "parts": {
            "60": {"message_type": "00", "batch_number": "000001", "network_code": "003"},
            "63": {"operator": "01 "},
        },
    } == document


def test_messages_are_read_line_by_line_from_standard_input() -> None:
    result = run("decode", "--json", lines=f"{SIGN_IN}\n\n  {SIGN_IN}  \n")

    assert ["0800", "0800"] == [document["mti"] for document in documents(result)]


def test_arguments_are_messages_each_or_pieces_of_one() -> None:
    digits = SIGN_IN.replace(" ", "")

    assert 2 == len(documents(run("decode", "--json", digits, digits)))
    assert documents(run("decode", "--json", digits)) == documents(run("decode", "--json", *SIGN_IN.split()))
    assert documents(run("decode", "--json", digits)) == documents(
        run("decode", "--json", ":".join(digits[at : at + 2] for at in range(0, len(digits), 2)))
    )


def test_several_frames_behind_each_other_are_several_messages() -> None:
    result = run("decode", "--json", SIGN_IN + SIGN_IN)

    assert [60, 60] == [document["framing"]["length"] for document in documents(result)]


def test_people_get_a_table_that_names_every_element_and_part() -> None:
    result = run("decode", SIGN_IN)

    assert 0 == result.exit_code
    assert "unionpay, from the length on; length 60; TPDU 6000030000; header 603100311300" in result.stdout
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["13-14", "0800", "message", "type", "0800", "network", "management,", "request,", "sign_in"] in lines
    assert ["49-56", "0011", "000000010030", "60", "batch", "info", "00000001003"] in lines
    assert ["network", "code", "003", "sign-in,", "double-length", "keys"] in lines
    assert ["operator", "01"] in lines


def test_the_table_says_what_values_mean() -> None:
    answer = "0210 3000000002000000 000000 000000012345 3531"

    table = run("decode", "--dialect", "unionpay", answer).stdout

    assert "goods and services" in table
    assert "123.45 CNY" in table
    assert "Not enough funds 无足够的存款" in table
    assert "financial, answer" in table


def test_chip_data_are_named() -> None:
    message = "0200 0000000000000200 0009 9F2701809C01005A00"

    table = run("decode", "--dialect", "unionpay", message).stdout

    assert "9F27 cryptogram information data  80" in table
    assert "5A application PAN" in table


def test_records_and_control_characters_are_shown() -> None:
    upload = "0320 0000000000010010 0042 01 00000123 00006222020000000000 000000012345 0011 000000012010"

    table = run("decode", "--dialect", "unionpay", upload).stdout

    assert "1. amount" in table
    assert "123.45 CNY" in table
    assert "\\x07" in run("decode", "--dialect", "hypercom", "0800 0000000000000002 0002 0741").stdout


def test_output_that_is_no_terminal_has_no_colours_and_no_blanks_at_line_ends() -> None:
    output = run("decode", SIGN_IN).stdout

    assert "\x1b" not in output
    assert [line for line in output.splitlines() if line != line.rstrip()] == []


def test_raw_bytes_are_shown_with_the_counter_apart_and_not_where_a_value_is_masked() -> None:
    clear, masked = run("decode", PURCHASE).stdout, run("decode", "--mask", PURCHASE).stdout

    assert "16 4761739001010119" in clear
    assert [["10-18", "16", "2", "pan", "476173******0119", "VIS"]] == [
        line.split()[:6] for line in masked.splitlines() if " pan " in line
    ]


def test_a_terminal_gets_colours() -> None:
    answer, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    words = [sys.executable, "-m", "pos_host", "decode", "--dialect", "hypercom", "0800 2000000000000000 920000"]
    with subprocess.Popen(
        words, stdout=terminal, stderr=terminal, stdin=subprocess.DEVNULL, env=environment
    ) as process:
        os.close(terminal)
        shown = _read_to_end(answer)

    assert 0 == process.returncode
    assert b"\x1b[32m" in shown
    assert b"processing code" in shown


def _read_to_end(descriptor: int) -> bytes:
    """What comes out of a pseudo terminal until its last writer is gone."""
    data = b""
    with contextlib.suppress(OSError):
        while part := os.read(descriptor, 4096):
            data += part
    os.close(descriptor)
    return data


def test_own_input_is_shown_in_clear_and_masked_on_request() -> None:
    assert "4761739001010119" == documents(run("decode", "--json", PURCHASE))[0]["fields"]["2"]
    masked = documents(run("decode", "--json", "--mask", PURCHASE))[0]

    assert "476173******0119" == masked["fields"]["2"]
    assert "4761739001010119" not in run("decode", "--mask", PURCHASE).stdout


@pytest.mark.parametrize("view", [["--json"], []])
def test_what_was_read_of_an_unreadable_message_can_be_masked_too(view: list[str]) -> None:
    result = run("decode", "--mask", *view, "--dialect", "unionpay", f"{PURCHASE} 00")

    assert 2 == result.exit_code
    assert "476173******0119" in result.stdout
    assert "4761739001010119" not in result.output


def test_a_function_a_message_names_is_not_asked_for_its_elements() -> None:
    result = run("decode", "--json", "--dialect", "unionpay", "0820 0000000000000010 0011 000000010020")

    assert (0, "sign_off") == (result.exit_code, documents(result)[0]["function"])


def test_an_unknown_function_is_unsupported_and_an_answer_has_its_requests() -> None:
    unsupported = run("decode", "--json", "--dialect", "unionpay", "0300 0020000000000000 000001")
    answer = run("decode", "--json", "--dialect", "hypercom", "0210 2020000000000000 000000 000001")
    silent = run("decode", "--json", "--dialect", "unionpay", "0210 0020000000000000 000001")

    assert ["unsupported", "purchase", None] == [
        documents(result)[0]["function"] for result in (unsupported, answer, silent)
    ]


def test_an_unreadable_message_names_field_and_byte_and_what_was_read() -> None:
    result = run(
        "decode",
        "--json",
        "--dialect",
        "unionpay",
        f"000B 6000030000 603100311300 {UNREADABLE}".replace("000B", "001C"),
    )

    (document,) = documents(result)
    assert 2 == result.exit_code
    assert {"message": "not all digits", "field": "2", "offset": 24} == document["error"]
    assert {"3": "000000"} == document["fields"]
    assert "element 2 at byte 24: not all digits (read as unionpay from the length on)" in result.stderr


def test_people_see_what_was_read_and_the_error_on_standard_error() -> None:
    result = run("decode", "--dialect", "unionpay", UNREADABLE)

    assert 2 == result.exit_code
    assert "processing code" in result.stdout
    assert result.stderr == (
        "pos-host decode: element 2 at byte 11: not all digits (read as unionpay from the MTI on);"
        " seen: MTI 0200 in BCD; bitmap (binary) says 2, 3; not all digits (unionpay gives it a 1-byte BCD length)\n"
    )


def test_lines_after_an_unreadable_one_are_still_read() -> None:
    result = run("decode", "--json", lines=f"{SIGN_IN}\nxyz\n{UNREADABLE}\n{SIGN_IN}\n")

    assert 2 == result.exit_code
    assert ["0800", None, "0200", "0800"] == [document.get("mti") for document in documents(result)]
    assert ["line 2", "line 3"] == [line.split(": ")[1] for line in result.stderr.splitlines()]


def test_hex_that_is_none_is_refused_in_one_line() -> None:
    result = run("decode", "--json", "0800 0")

    assert 2 == result.exit_code
    assert "pos-host decode: not hex digits, two for each byte\n" == result.stderr
    assert {"error": {"message": "not hex digits, two for each byte", "field": None, "offset": None}, "fields": {}} == (
        documents(result)[0]
    )


def test_input_that_is_no_text_is_refused_in_one_line() -> None:
    from tests.unit.host.decoding.commands import app
    from typer.testing import CliRunner

    result = CliRunner().invoke(app, ["decode"], input=b"\x00\x3c\x60\xff\xfe")

    assert (2, "pos-host decode: line 1: not text\n") == (result.exit_code, result.stderr)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--starts-at", "middle"], "--starts-at must be one of length, tpdu, header, mti"),
        (["--dialect", "klingon"], "klingon: no such dialect; shipped are base24-pos, hypercom, "),
        (["--dialect", "./nowhere.toml"], "nowhere.toml: no such file"),
        (["--dialect", "iso87-ascii", "--starts-at", "tpdu"], "no tpdu in this dialect"),
    ],
)
def test_bad_usage_is_one_line(words: list[str], reason: str) -> None:
    result = run("decode", *words, SIGN_IN)

    assert 2 == result.exit_code
    assert reason in result.stderr
    assert 1 == len(result.stderr.splitlines())


@pytest.mark.parametrize("entry", parameters("unionpay"))
def test_every_unionpay_message_is_recognised_by_itself(entry: Vector) -> None:
    result = run("decode", "--json", entry["hex"])

    (document,) = documents(result)
    starts = {"len+tpdu+head": "length", "len+tpdu": "length", "tpdu+head": "tpdu"}
    assert "unionpay" == document["dialect"]
    assert starts.get(entry["framing"], "mti") == document["framing"]["starts_at"]
    assert {n: v for n, v in entry["fields"].items() if n != "0"} == document["fields"]
    assert (0 if entry["length_prefix_ok"] is not False else 2) == result.exit_code


OF_SHIPPED_DIALECTS = [entry for entry in parameters("iso87") if shipped_dialect(entry.values[0]) is not None]  # type: ignore[arg-type]


@pytest.mark.parametrize("entry", OF_SHIPPED_DIALECTS)
def test_every_message_of_a_shipped_dialect_is_recognised_by_itself(entry: Vector) -> None:
    result = run("decode", "--json", entry["hex"])

    (document,) = documents(result)
    assert 0 == result.exit_code
    assert shipped_dialect(entry) == document["dialect"]


def test_a_frame_without_tpdu_is_a_frame_of_a_dialect_that_has_none() -> None:
    (hex_,) = [entry["hex"] for entry in entries("broken_frames") if entry["name"] == "TPDU missing"]

    (document,) = documents(run("decode", "--json", hex_))

    assert ("iso87-binary", "length") == (document["dialect"], document["framing"]["starts_at"])


BROKEN = {
    "length header one too large": "length 82, but only 81 bytes follow",
    "length header one too small": "element 62 at byte 77: Field data is 5 bytes, expecting 6",
    "length header little endian": "length 20736 is over the limit of 4096 bytes",
    "length header as 4 ASCII digits": "length 12336 is over the limit of 4096 bytes (ASCII digits?",
    "TPDU id 0x68 (error packet)": "TPDU id 68 instead of 60",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_frame_is_recognised_as_a_frame_and_its_fault_told(name: str) -> None:
    (hex_,) = [entry["hex"] for entry in entries("broken_frames") if entry["name"] == name]

    result = run("decode", "--dialect", "hypercom", hex_)

    assert 2 == result.exit_code
    assert result.stderr.startswith(f"pos-host decode: {BROKEN[name]}")


def test_where_the_bytes_begin_can_be_told() -> None:
    (entry,) = [entry for entry in entries("unionpay") if entry["name"] == "signin_req_bpos_003"]
    body = unionpay_body(entry).hex()

    for start, hex_ in [
        ("mti", body),
        ("header", entry["header"] + body),
        ("tpdu", entry["tpdu"] + entry["header"] + body),
        ("length", entry["hex"]),
    ]:
        told = documents(run("decode", "--json", "--starts-at", start, hex_))
        assert start == told[0]["framing"]["starts_at"]
        assert told == documents(run("decode", "--json", hex_))
        assert start == "mti" or 2 == run("decode", "--dialect", "unionpay", "--starts-at", start, body).exit_code


def test_dialects_that_fit_are_named_best_first() -> None:
    logon = "001D 6000098053 0800 2020000000800000 920000 000002 3132333435363738"

    (document,) = documents(run("decode", "--json", logon))

    assert "hypercom" == document["dialect"] == document["fits"][0]
    assert {"hypercom", "unionpay"} <= set(document["fits"])
    assert f"also fits {', '.join(document['fits'][1:])}" in run("decode", logon).stdout
    assert "fits" not in documents(run("decode", "--json", "--dialect", "hypercom", logon))[0]


def test_a_header_that_no_dialect_knows_is_stepped_over() -> None:
    echo = "1002230000 0800 2000000000000000 920000"

    (document,) = documents(run("decode", "--json", echo))

    assert {"starts_at": "header", "header": "1002230000"} == document["framing"]


def test_a_message_that_ends_in_its_first_element_is_read_from_its_mti() -> None:
    result = run("decode", "0800 2020010000C00012")

    assert 2 == result.exit_code
    assert "pos-host decode: element 3 at byte 10: Field data is 0 nibbles, expecting 6" in result.stderr


def test_a_dialect_file_of_ones_own_is_used(tmp_path: object) -> None:
    from importlib import resources
    from pathlib import Path

    file = Path(str(tmp_path)) / "mybank.toml"
    shipped = (resources.files("pos_specs") / "dialects" / "hypercom.toml").read_text("utf-8")
    file.write_text(shipped.replace('name = "hypercom"', 'name = "mybank"'), "utf-8")

    (document,) = documents(run("decode", "--json", "--dialect", str(file), "0800 2000000000000000 920000"))

    assert "mybank" == document["dialect"]
