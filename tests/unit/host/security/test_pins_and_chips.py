"""PINs and chip cryptograms, as the issuer behind the host judges them."""

from __future__ import annotations

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import UNIONPAY_CARD, Exchange, HypercomTerminal, UnionPayTerminal
from tests.unit.host.security.test_keys_and_macs import body_with_mac, guarded, is_signed, signed_in

from pos_specs import test_cards
from pos_specs.message import Message
from pos_specs.security import dukpt_tdes, emv
from pos_specs.security.key_file import load_key_file
from pos_specs.security.keys import WorkingKeys
from pos_specs.security.pin_block import encrypt_pin
from pos_specs.security.track_cipher import encrypt_track
from pos_specs.tlv import build_tlv, parse_tlv


def card_named(name: str) -> test_cards.TestCard:
    found = test_cards.find_test_card(name)
    assert found is not None
    return found


CARD, SHORT = card_named("unionpay"), card_named("unionpay-16")
DAY_MS = 86_400_000


async def sell_with_pin(
    terminal: UnionPayTerminal, keys: WorkingKeys, pin: str, pan: str = CARD.pan, *, with_pan: bool = True
) -> Exchange:
    block = encrypt_pin("iso-0" if with_pan else "no-pan", keys.pin, pin, pan if with_pan else "")
    control = ("2" if with_pan else "1") + "6" + "0" * 14
    message = terminal.purchase_message(1_00, pan, f22="021", f26="12", f52=block.hex().upper(), f53=control)
    return Exchange(message, await terminal.line.ask(message.mti, message.fields))


async def with_keys(scheme: str = "003") -> tuple[HostInProcess, UnionPayTerminal, WorkingKeys]:
    host = guarded()
    terminal = UnionPayTerminal(host)
    return host, terminal, await signed_in(terminal, scheme)


@pytest.mark.parametrize("with_pan", [True, False])
async def test_the_pin_of_a_test_card_is_right_and_any_other_wrong(with_pan: bool) -> None:
    _, terminal, keys = await with_keys()

    assert "00" == (await sell_with_pin(terminal, keys, CARD.pin, with_pan=with_pan)).code
    assert "55" == (await sell_with_pin(terminal, keys, "999999", with_pan=with_pan)).code


async def test_of_an_unknown_card_every_pin_is_right_that_can_be_read() -> None:
    _, terminal, keys = await with_keys()
    other = WorkingKeys(bytes(range(16)), keys.mac)

    assert "00" == (await sell_with_pin(terminal, keys, "4711", UNIONPAY_CARD)).code
    assert "99" == (await sell_with_pin(terminal, other, "4711", UNIONPAY_CARD)).code


async def test_after_three_wrong_pins_not_even_the_right_one_helps_until_the_day_turns() -> None:
    host, terminal, keys = await with_keys()

    codes = [(await sell_with_pin(terminal, keys, pin)).code for pin in ("1111", "2222", "3333", CARD.pin)]
    host.clock.move_to(host.clock.now_ms() + DAY_MS)

    assert ["55", "55", "75", "75"] == codes
    assert "00" == (await sell_with_pin(terminal, keys, CARD.pin)).code


async def test_the_right_pin_forgives_the_wrong_ones_before() -> None:
    _, terminal, keys = await with_keys()

    pins = ("1111", "2222", CARD.pin, "3333", "4444")

    assert ["55", "55", "00", "55", "55"] == [(await sell_with_pin(terminal, keys, pin)).code for pin in pins]


async def test_a_repeat_of_a_wrong_pin_is_counted_once() -> None:
    _, terminal, keys = await with_keys()
    wrong = await sell_with_pin(terminal, keys, "1111")

    again = [(await terminal.again(wrong)).code for _ in range(4)]

    assert ["55"] * 4 == again
    assert "00" == (await sell_with_pin(terminal, keys, CARD.pin)).code


async def test_no_pin_and_no_pin_block_is_kept() -> None:
    host, terminal, keys = await with_keys()
    wrong = await sell_with_pin(terminal, keys, "246813")

    kept = f"{host.memory.entries}"

    assert "246813" not in kept
    assert wrong.request.fields[52] not in kept


KSN = "FFFF9876543210E00008"


async def sell_with_dukpt(terminal: HypercomTerminal, pin: str, ksn: str = KSN, *, spoil: bool = False) -> Message:
    keys = dukpt_tdes.host_session_keys(bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"), bytes.fromhex(KSN))
    block = encrypt_pin("iso-0", keys.pin, pin, CARD.pan).hex().upper()
    table = f"33{ksn}".encode()
    changes = {"f22": "021", "f52": block, "f63": (bytes.fromhex(f"{len(table):04}") + table).decode("latin-1")}
    message = terminal.purchase_message(1_00, CARD.pan, **changes)
    (answer,) = await terminal.line.ask_raw(body_with_mac(terminal, message, keys.mac_request, spoil=spoil))
    if answer.fields[39] == "00":
        assert is_signed(terminal, answer, keys.mac_response)
    return answer


async def test_a_key_serial_number_brings_keys_of_its_own() -> None:
    terminal = HypercomTerminal(guarded())

    assert "00" == (await sell_with_dukpt(terminal, CARD.pin)).fields[39]
    assert "55" == (await sell_with_dukpt(terminal, "9876")).fields[39]
    assert "96" == (await sell_with_dukpt(terminal, CARD.pin, spoil=True)).fields[39]


@pytest.mark.parametrize(
    "ksn", ["0000000000000000FFFF", "FFFF9876543210FFFFFF", "FFFF98765432FFFFFFFF", "not hex at all 12345"]
)
async def test_a_mac_under_an_unknown_or_impossible_key_serial_number_is_refused(ksn: str) -> None:
    terminal = HypercomTerminal(guarded())

    assert "96" == (await sell_with_dukpt(terminal, CARD.pin, ksn)).fields[39]


TAGS = {
    "9F27": "80", "9F10": "07010103A0A802010A010000000000B1D3A1C7", "9F37": "11223344", "9F36": "0007",
    "95": "0000000000", "9A": "260302", "9C": "00", "9F02": "000000000100", "5F2A": "0156", "82": "7C00",
    "9F1A": "0156", "9F03": "000000000000", "9F33": "E0E9C8", "5F34": "01",
}  # fmt: skip
"""DE55 of a UnionPay purchase of 1.00, in the order of the captured ones (unionpay.md 5.6)."""


def chip_data(pan: str, *, spoil: bool = False) -> str:
    """DE55 with the cryptogram of the published test key."""
    issuer = load_key_file().issuer_key(pan)
    assert issuer is not None
    version, reason = emv.find_version(issuer, TAGS["9F10"])
    assert version is not None, reason
    cryptogram = emv.make_cryptogram(version, issuer, emv.ChipData(pan, TAGS)).hex().upper()
    if spoil:
        cryptogram = f"{int(cryptogram, 16) ^ 1:016X}"
    return build_tlv([("9F26", cryptogram), *TAGS.items()]).hex().upper()


async def sell_with_chip(terminal: UnionPayTerminal, pan: str, icc_data: str) -> Exchange:
    message = terminal.purchase_message(1_00, pan, f22="051", f23="001", f55=icc_data)
    return Exchange(message, await terminal.line.ask(message.mti, message.fields))


async def test_a_right_cryptogram_is_approved_with_the_issuers_answer() -> None:
    _, terminal, _ = await with_keys()

    sold = await sell_with_chip(terminal, CARD.pan, chip_data(CARD.pan))

    tags = dict(parse_tlv(bytes.fromhex(sold.answer.fields[55])))
    assert ("00", "0007") == (sold.code, tags["9F36"])
    assert "3030" == tags["91"][-4:]


async def test_a_card_with_a_script_gets_its_command_behind_the_answer() -> None:
    card = card_named("unionpay-script")
    _, terminal, _ = await with_keys()

    sold = await sell_with_chip(terminal, card.pan, chip_data(card.pan))

    tags = parse_tlv(bytes.fromhex(sold.answer.fields[55]))
    assert ["9F36", "91", "72"] == [tag for tag, _ in tags]
    assert [("9F18", "00000001"), ("86", card.script)] == parse_tlv(bytes.fromhex(tags[2][1]))


async def test_a_wrong_cryptogram_of_a_test_card_is_refused_and_posts_nothing() -> None:
    host, terminal, _ = await with_keys()

    refused = await sell_with_chip(terminal, CARD.pan, chip_data(CARD.pan, spoil=True))

    assert ("05", False) == (refused.code, 55 in refused.answer.fields)
    assert not host.groups("T0000001")


async def test_a_card_of_other_keys_is_refused_only_under_a_key_file_of_ones_own() -> None:
    wrong = chip_data(UNIONPAY_CARD, spoil=True)
    for own_keys, code in ((False, "00"), (True, "05")):
        host, terminal, _ = await with_keys()
        assert host.guard is not None
        host.guard._own_keys = own_keys

        assert code == (await sell_with_chip(terminal, UNIONPAY_CARD, wrong)).code


async def test_chip_data_that_are_no_tlv_are_a_format_error() -> None:
    _, terminal, _ = await with_keys()

    assert "30" == (await sell_with_chip(terminal, CARD.pan, "9F2608AABB")).code


@pytest.mark.parametrize("tail", ["30122010194827365051", "3012201", "301220"])
async def test_an_enciphered_track_is_read_whole_whatever_its_length(tail: str) -> None:
    """In a short track the enciphered block begins within the card number."""
    host, terminal, keys = await with_keys(scheme="004")
    track = f"{SHORT.pan}D{tail}"
    message = terminal.purchase_message(
        1_00, None, f22="022", f35=encrypt_track(keys.track, track), f53="0010" + "0" * 12
    )

    answer = await terminal.line.ask(message.mti, message.fields)

    assert ("00", SHORT.pan) == (answer.fields[39], answer.fields[2])
    assert SHORT.pan not in f"{host.memory.entries}"


async def test_a_track_under_another_key_is_no_card() -> None:
    _, terminal, _ = await with_keys(scheme="004")
    track = encrypt_track(bytes(range(16)), f"{SHORT.pan}D301220")
    message = terminal.purchase_message(1_00, f2=None, f22="022", f35=track, f53="0010" + "0" * 12)

    assert "14" == (await terminal.line.ask(message.mti, message.fields)).fields[39]


@pytest.mark.parametrize("function", ["upload", "reversal"])
async def test_what_only_tells_of_something_done_is_not_declined_over_its_cryptogram(function: str) -> None:
    _, terminal, _ = await with_keys()
    wrong = chip_data(CARD.pan, spoil=True)
    fields: dict[int, str | None] = {2: CARD.pan, 4: "000000000100", 11: "000009", 22: "051", 55: wrong}
    if function == "upload":
        sent = await terminal.send("0320", {**fields, 60: f"00{terminal.batch}203"}, {})
    else:
        reversal = {3: "000000", 25: "00", 39: "98", 49: "156", 60: f"22{terminal.batch}000500"}
        sent = await terminal.send("0400", {**fields, **reversal}, {})

    assert "00" == sent.code
