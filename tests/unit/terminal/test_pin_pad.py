"""Keys of the terminal: working keys from the sign-in, PIN blocks, MACs both ways, tracks; nothing of it shows."""

import json
from typing import Any

import pytest
from tests.unit.terminal.scripted_host import MAC, ScriptedHost, a_terminal, after_power_cut, carry_out

from pos_specs.security import dukpt_aes, dukpt_tdes
from pos_specs.security.errors import KeySerialError, UnusableKey
from pos_specs.security.keys import WorkingKeys
from pos_specs.security.pin_block import decrypt_pin
from pos_specs.security.track_cipher import decrypt_track
from pos_specs.security.unionpay_keys import SCHEMES, build_key_block, cut_working_keys
from pos_terminal.cards import TEST_CARDS
from pos_terminal.commands import CashAdvance, Inquire, Manage, Purchase, Reverse, Settle, Sign
from pos_terminal.dukpt_device import next_session
from pos_terminal.memory import memory_table
from pos_terminal.pin import Pin, PinError
from pos_terminal.pin_pad import PadError, PadSettings
from pos_terminal.states import State
from pos_terminal.terminal import Terminal

CUP = TEST_CARDS["unionpay"]
PIN = Pin("123456")
BUY = Purchase(CUP, 1000, "156")
WITH_PIN = Purchase(CUP, 1000, "156", pin=PIN)
WRONG_TMK = PadSettings(tmk=bytes.fromhex("00112233445566778899AABBCCDDEEFF"))
AES_TEST_KEY = bytes.fromhex("FEDCBA9876543210F1F1F1F1F1F1F1F1")
MAC_KEY, PIN_KEY = bytes.fromhex("0123456789ABCDEF"), bytes.fromhex("FEDCBA98765432100123456789ABCDEF")


def keys(scheme: str) -> WorkingKeys:
    """Keys of that scheme, each byte another one."""
    needed = SCHEMES[scheme]
    return cut_working_keys(needed, bytes(range(1, needed.material_bytes + 1)))


def signed_in(dialect: str, scheme: str = "003", pad: PadSettings | None = None) -> tuple[Terminal, ScriptedHost]:
    terminal = a_terminal(dialect, pad=pad or PadSettings(scheme=scheme))
    host = ScriptedHost(dialect)
    host.keys = keys("001") if dialect == "hypercom" else keys(scheme)
    carry_out(terminal, host, Manage("sign_in"))
    return terminal, host


# ---------------------------------------------------------------- keys


@pytest.mark.parametrize("scheme", ["001", "003", "004"])
def test_a_sign_in_asks_for_a_scheme_and_brings_its_keys(scheme: str) -> None:
    terminal, host = signed_in("unionpay", scheme)

    assert scheme == host.requests[0].fields[60][-3:]
    assert keys(scheme) == terminal.memory.keys


def test_a_hypercom_logon_brings_keys_too() -> None:
    terminal, host = signed_in("hypercom")

    assert host.keys == terminal.memory.keys


def test_a_wrong_check_value_refuses_the_sign_in_and_deletes_the_keys() -> None:
    terminal, host = signed_in("unionpay")
    assert terminal.memory.keys is not None
    damaged = build_key_block(PadSettings().tmk, keys("003"))[:-1] + b"\x00"
    host.will("sign_in", {62: damaged.hex().upper()})

    result = carry_out(terminal, host, Manage("sign_in"))

    assert (False, False) == (result.answered, result.approved)
    assert result.reason.startswith("sign-in refused: MAC key: the check value does not match")
    assert terminal.memory.keys is None
    assert terminal.memory.must_sign_in


def test_under_another_master_key_the_sign_in_is_refused_and_nothing_is_sold() -> None:
    terminal, host = signed_in("unionpay", pad=WRONG_TMK)

    result = carry_out(terminal, host, BUY)

    assert "PIN key" in result.reason
    assert ["sign_in", "sign_in"] == host.functions()


@pytest.mark.parametrize("element", ["00" * 56, "00" * 57, "00" * 84, "00" * 104, "00" * 3, "ZZ"])
def test_keys_in_a_layout_that_nobody_knows_refuse_the_sign_in(element: str) -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    host.will("sign_in", {62: element})

    assert "sign-in refused" in carry_out(terminal, host, Manage("sign_in")).reason


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom", "iso87-ascii"])
def test_a_host_without_keys_is_traded_with_without_macs(dialect: str) -> None:
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)
    carry_out(terminal, host, Manage("sign_in"))

    assert carry_out(terminal, host, BUY).approved
    assert terminal.memory.keys is None
    assert MAC not in host.of("purchase")[0].fields


def test_no_key_and_no_pin_stands_in_the_memorys_table_or_in_a_repr() -> None:
    terminal, host = signed_in("unionpay", "004")
    host.will("purchase", None)
    carry_out(terminal, host, WITH_PIN)

    text = json.dumps(memory_table(terminal.memory)) + repr([terminal.memory, WITH_PIN, terminal.pin_pad.settings])
    given = keys("004")
    secrets = [given.pin, given.mac, given.track, terminal.pin_pad.settings.tmk]
    assert [] == [key for key in secrets if key.hex() in text.lower() or repr(key) in text]
    assert "123456'" not in text.replace(CUP.pan, "")
    assert CUP.pan not in repr(WITH_PIN)


# ---------------------------------------------------------------- MAC


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom"])
def test_financial_messages_carry_a_mac_and_their_answers_must(dialect: str) -> None:
    terminal, host = signed_in(dialect)

    assert carry_out(terminal, host, BUY).approved
    carry_out(terminal, host, Reverse(terminal.memory.log[0].stan))
    carry_out(terminal, host, Settle())

    assert [True, True] == host.macs
    assert {"purchase", "reversal"} == {
        rule.name
        for request in host.requests
        if MAC in request.fields and (rule := host.language.function_of(request)) is not None
    }


def test_an_e_signature_carries_a_mac_and_an_echo_of_the_same_type_none() -> None:
    terminal, host = signed_in("unionpay")
    carry_out(terminal, host, BUY)

    signed = carry_out(terminal, host, Sign("", b"picture"))
    echo = carry_out(terminal, host, Manage("echo"))

    assert (True, True) == (signed.approved, echo.approved)
    assert [("0200", True), ("0820", True), ("0820", False)] == [
        (request.mti, MAC in request.fields) for request in host.requests[1:]
    ]
    assert [True, True] == host.macs


@pytest.mark.parametrize("changes", [{MAC: "00" * 8}, {MAC: None}])
def test_an_e_signature_whose_answer_has_no_right_mac_counts_as_unanswered(changes: dict[int, str | None]) -> None:
    terminal, host = signed_in("unionpay")
    carry_out(terminal, host, BUY)
    host.will("signature", changes)

    result = carry_out(terminal, host, Sign("", b"picture"))

    assert not result.answered
    assert "MAC" in result.reason


WRONG: list[dict[int, str | None]] = [{MAC: "00" * 8}, {MAC: None}]


@pytest.mark.parametrize("spoilt", WRONG)
@pytest.mark.parametrize("dialect", ["unionpay", "hypercom"])
def test_an_approval_with_a_wrong_or_missing_mac_is_reversed_and_new_keys_are_asked_for(
    dialect: str, spoilt: dict[int, str | None]
) -> None:
    terminal, host = signed_in(dialect)
    host.will("purchase", spoilt)

    result = carry_out(terminal, host, BUY)
    assert (False, State.REVERSAL_PENDING) == (result.answered, terminal.state)
    assert "MAC" in result.reason
    carry_out(after_power_cut(terminal), host, Reverse())

    assert ["sign_in", "purchase", "sign_in", "reversal"] == host.functions()
    if dialect == "unionpay":
        assert "A0" == host.of("reversal")[0].fields[39]


@pytest.mark.parametrize("dialect", ["iso87-ascii", "iso93-ascii", "base24-pos"])
def test_under_a_key_of_ones_own_an_approval_without_mac_is_not_believed_in_any_edition(dialect: str) -> None:
    terminal, host = a_terminal(dialect, pad=PadSettings(mac_key=bytes(range(16)))), ScriptedHost(dialect)

    sold = carry_out(terminal, host, BUY)

    assert {64, 128} & host.requests[0].fields.keys()
    assert (False, True) == (sold.answered, "has no MAC" in sold.reason)


def test_a_decline_needs_no_mac() -> None:
    terminal, host = signed_in("unionpay")
    host.will("purchase", {39: "51", MAC: None})

    assert (True, "51") == ((result := carry_out(terminal, host, BUY)).answered, result.code)
    assert State.IDLE == terminal.state


def test_an_approval_in_part_may_lack_its_mac_but_not_have_a_wrong_one() -> None:
    terminal, host = signed_in("unionpay")
    part = {39: "10", 4: "000000000400"}
    host.will("purchase", {**part, MAC: None}, {**part, MAC: "00" * 8})

    assert carry_out(terminal, host, BUY).approved
    assert not carry_out(terminal, host, BUY).answered


def test_a_reversal_whose_answer_is_not_to_be_believed_is_tried_again_and_given_up_after_three() -> None:
    terminal, host = signed_in("unionpay")
    host.will("purchase", None)
    host.will("reversal", *[{MAC: "00" * 8}] * 3)
    carry_out(terminal, host, BUY)

    for _ in range(3):
        assert not carry_out(terminal, host, Reverse()).answered

    assert State.IDLE == terminal.state
    assert 3 == len(host.of("reversal"))


def test_a_wrong_key_makes_the_host_answer_a0_and_the_terminal_signs_in_again() -> None:
    terminal, host = signed_in("unionpay", pad=PadSettings(mac_key=MAC_KEY))
    host.will("purchase", {39: "A0"})

    assert "A0" == carry_out(terminal, host, BUY).code
    assert [False] == host.macs
    assert terminal.memory.must_sign_in


def test_without_macs_none_is_made_or_missed() -> None:
    terminal, host = signed_in("unionpay", pad=PadSettings(uses_mac=False))

    assert carry_out(terminal, host, BUY).approved
    assert MAC not in host.of("purchase")[0].fields


def test_iso87_uses_the_key_it_was_given_and_puts_it_into_128_beside_element_90() -> None:
    pad = PadSettings(mac_key=MAC_KEY)
    terminal, host = a_terminal("iso87-ascii", pad=pad), ScriptedHost("iso87-ascii")
    host.keys = WorkingKeys(b"", MAC_KEY)
    carry_out(terminal, host, BUY)
    host.will("reversal", {128: "00" * 8})
    carry_out(terminal, host, Reverse("000001"))

    assert [True] == host.macs
    [undone] = host.of("reversal")
    assert (False, True) == (MAC in undone.fields, 128 in undone.fields)


# ---------------------------------------------------------------- PIN and track


@pytest.mark.parametrize(("scheme", "control"), [("001", "20"), ("003", "26"), ("004", "261")])
def test_a_unionpay_pin_travels_with_its_control_elements(scheme: str, control: str) -> None:
    terminal, host = signed_in("unionpay", scheme)

    carry_out(terminal, host, WITH_PIN)

    sent = host.of("purchase")[0].fields
    assert ("021", "12", control.ljust(16, "0")) == (sent[22], sent[26], sent[53])
    assert "123456" == decrypt_pin("iso-0", keys(scheme).pin, bytes.fromhex(sent[52]), CUP.pan)


def test_a_hypercom_pin_travels_alone() -> None:
    terminal, host = signed_in("hypercom")

    carry_out(terminal, host, CashAdvance(CUP, 1000, "156", pin=PIN))

    sent = host.of("cash_advance")[0].fields
    assert ("021", {26, 53}) == (sent[22], {26, 53} - sent.keys())
    assert "123456" == decrypt_pin("iso-0", keys("001").pin, bytes.fromhex(sent[52]), CUP.pan)


@pytest.mark.parametrize("function", ["purchase", "balance"])
def test_a_wrong_pin_is_just_a_decline(function: str) -> None:
    terminal, host = signed_in("unionpay")
    host.will(function, {39: "55"})
    command: Any = WITH_PIN if function == "purchase" else Inquire(CUP, "156", pin=PIN)

    result = carry_out(terminal, host, command)

    assert (True, "55", State.IDLE) == (result.answered, result.code, terminal.state)


def test_neither_a_reversal_nor_a_later_message_carries_the_pin() -> None:
    terminal, host = signed_in("unionpay", "004")
    host.will("purchase", None)
    carry_out(terminal, host, WITH_PIN)
    carry_out(terminal, host, BUY)

    for request in [*host.of("reversal"), host.of("purchase")[-1]]:
        assert [] == [number for number in (26, 52) if number in request.fields]
    assert "021" == host.of("reversal")[0].fields[22]
    assert 53 not in host.of("reversal")[0].fields


def test_a_track_key_enciphers_the_track_and_element_53_says_so() -> None:
    terminal, host = signed_in("unionpay", "004")

    carry_out(terminal, host, BUY)

    sent = host.of("purchase")[0].fields
    assert "0610000000000000" == sent[53]
    assert f"{CUP.pan}D49122010000000000"[:37] == decrypt_track(keys("004").track, sent[35])
    assert decrypt_track(keys("004").track, sent[35]) != sent[35]


def test_without_a_pin_key_nothing_begins() -> None:
    for dialect, advice in (("unionpay", "sign in first"), ("iso87-ascii", "give --pin-key")):
        terminal = a_terminal(dialect)
        with pytest.raises(PadError, match=advice):
            terminal.begin(WITH_PIN)
        assert (0, State.IDLE) == (terminal.memory.stan, terminal.state)


def test_iso87_takes_a_pin_key_from_outside() -> None:
    terminal, host = a_terminal("iso87-ascii", pad=PadSettings(pin_key=PIN_KEY)), ScriptedHost("iso87-ascii")

    carry_out(terminal, host, WITH_PIN)

    assert "123456" == decrypt_pin("iso-0", PIN_KEY, bytes.fromhex(host.requests[0].fields[52]), CUP.pan)


def test_sm4_keys_are_taken_but_make_no_pin_block_and_no_mac() -> None:
    terminal, host = signed_in("unionpay", "006")

    assert keys("006") == terminal.memory.keys
    with pytest.raises(PadError, match="SM4"):
        terminal.begin(WITH_PIN)
    assert carry_out(terminal, host, BUY).approved
    assert MAC not in host.of("purchase")[0].fields


@pytest.mark.parametrize("text", ["123", "1234567890123", "12a4", "", "１２３４"])
def test_what_is_no_pin_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(PinError, match="4 to 12 digits") as caught:
        Pin(text)
    assert not text or text not in str(caught.value)


# ---------------------------------------------------------------- DUKPT

DUKPT = PadSettings(ksn=bytes.fromhex("FFFF9876543210E00000"))


def test_every_message_has_a_serial_number_and_keys_of_its_own() -> None:
    terminal, host = a_terminal("hypercom", pad=DUKPT), ScriptedHost("hypercom")
    for _ in range(2):
        carry_out(terminal, host, WITH_PIN)
        terminal.memory.unfinished, terminal.state = None, State.IDLE  # this host signs nothing

    for number, request in enumerate(host.of("purchase"), 1):
        tables = host.language.parts.of(request, 63)
        assert tables is not None
        serial = f"FFFF9876543210E{number:05X}"
        assert serial == tables["key_serial_number"]
        derived = dukpt_tdes.host_session_keys(PadSettings().tmk, bytes.fromhex(serial))
        assert "123456" == decrypt_pin("iso-0", derived.pin, bytes.fromhex(request.fields[52]), CUP.pan)


def test_the_counter_goes_on_after_a_power_cut_and_begins_anew_with_another_device() -> None:
    terminal, host = a_terminal("hypercom", pad=DUKPT), ScriptedHost("hypercom")
    carry_out(terminal, host, BUY)
    again = after_power_cut(terminal)

    assert "FFFF9876543210E00002" == next_session(again.memory, DUKPT.ksn, b"").serial
    other = bytes.fromhex("FFFF9876543210C00000")
    assert "FFFF9876543210C00001" == next_session(again.memory, other, b"").serial


def test_a_dialect_without_an_element_for_it_refuses_a_serial_number() -> None:
    terminal = a_terminal("unionpay", pad=DUKPT)
    terminal.begin(BUY)

    with pytest.raises(KeySerialError, match="unionpay has no element"):
        terminal.next_request()


def test_a_device_without_a_test_key_needs_its_own() -> None:
    memory = a_terminal("hypercom").memory
    device = bytes.fromhex("1111111111111100000A")

    with pytest.raises(UnusableKey, match="give --bdk"):
        next_session(memory, device, b"")
    assert "" == memory.ksn
    assert "11111111111111000" in next_session(memory, device, PIN_KEY).serial


AES = PadSettings(ksn=bytes.fromhex("123456789012345600000000"))


def test_a_serial_number_of_twelve_bytes_makes_an_aes_device() -> None:
    memory = a_terminal("hypercom").memory

    first, second = (next_session(memory, AES.ksn, b"") for _ in range(2))

    assert ["123456789012345600000001", "123456789012345600000002"] == [first.serial, second.serial]
    derived = dukpt_aes.host_session_keys(AES_TEST_KEY, bytes.fromhex(second.serial))
    assert (derived.pin, derived.mac_generation, derived.mac_verification) == second[1:4]
    assert ("iso-4", "cmac-aes") == (second.pin_format, second.mac)


def test_an_aes_and_a_tdes_device_do_not_count_on_from_each_other() -> None:
    memory = a_terminal("hypercom").memory
    next_session(memory, DUKPT.ksn, b"")

    assert "123456789012345600000001" == next_session(memory, AES.ksn, b"").serial
    assert "FFFF9876543210E00001" == next_session(memory, DUKPT.ksn, b"").serial


def test_where_an_aes_pin_block_does_not_go_into_its_element_nothing_begins() -> None:
    terminal = a_terminal("hypercom", pad=AES)

    with pytest.raises(PadError, match="the PIN block of an AES key has 16 bytes") as caught:
        terminal.begin(WITH_PIN)

    assert str(caught.value).endswith('a file that extends hypercom with [elements] 52 = { format = "b16" }')
    assert (0, State.IDLE) == (terminal.memory.stan, terminal.state)


@pytest.mark.parametrize(("ksn", "cipher"), [("11" * 10, "TDES"), ("11" * 8 + "00000001", "AES")])
def test_a_test_key_is_only_taken_for_its_own_cipher(ksn: str, cipher: str) -> None:
    with pytest.raises(UnusableKey, match=f"no {cipher} base key for this KSN"):
        next_session(a_terminal("hypercom").memory, bytes.fromhex(ksn), b"")
