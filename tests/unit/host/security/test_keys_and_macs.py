"""Keys at sign-in and MACs on messages, as a terminal on the line sees them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.host.pipeline.host_in_process import HEADER, TPDU, HostInProcess
from tests.unit.host.pipeline.terminals import Exchange, HypercomTerminal, Iso87Terminal, UnionPayTerminal

from pos_host.ledger.entry import KeyRow
from pos_host.security.guard import Guard
from pos_host.security.mac_mode import MacMode
from pos_host.security.vault import KeyVault
from pos_specs.framing import Frame, join_frame
from pos_specs.message import Message
from pos_specs.security.errors import KeyCheckFailed
from pos_specs.security.hypercom_keys import read_logon
from pos_specs.security.key_file import load_key_file, parse_key_file
from pos_specs.security.keys import WorkingKeys
from pos_specs.security.mac import make_mac
from pos_specs.security.unionpay_keys import SCHEMES, read_key_block

TMK = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
SEALING_KEY = bytes(range(32))


class Counting:
    """Random bytes that a test can foresee: each call the next block of a counter."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, size: int) -> bytes:
        self.calls += 1
        return bytes((self.calls * 37 + place * 11) % 256 for place in range(size))


def guarded(mode: MacMode = "verify", *, key_file: str | None = None, **more: Any) -> HostInProcess:
    ring = load_key_file() if key_file is None else parse_key_file(key_file.encode(), "keys.toml")
    return HostInProcess(guard=Guard(mode, KeyVault(ring, SEALING_KEY, Counting())), **more)


async def signed_in(terminal: UnionPayTerminal, scheme: str = "003") -> WorkingKeys:
    answer = (await terminal.sign_in(f60=f"00{terminal.batch}{scheme}")).answer
    return read_key_block(TMK, bytes.fromhex(answer.fields[62]), SCHEMES[scheme].algorithm)


def body_with_mac(terminal: Any, message: Message, key: bytes, *, spoil: bool = False) -> bytes:
    """The frame of a message with its MAC in DE64."""
    language, security = terminal.line.language, terminal.line.language.dialect.security
    fields = dict(sorted({**message.fields, 64: "0" * 16}.items()))
    data = language.encode(Message(message.mti, fields))
    wire_bytes = language.dialect.elements[64].wire_bytes
    mac = make_mac(security.mac, key, data[:-wire_bytes])
    if spoil:
        mac = bytes((mac[0] ^ 1, *mac[1:]))
    tail = mac if wire_bytes == 8 else mac.hex().upper().encode()
    framing = language.dialect.framing
    header = HEADER if framing.header == "unionpay" else b""
    tpdu = TPDU if framing.tpdu == "swap" else b""
    return join_frame(framing, Frame(tpdu, header, data[:-wire_bytes] + tail))


async def sell(terminal: Any, key: bytes, amount_minor: int = 12_34, *, spoil: bool = False) -> Exchange:
    message = terminal.purchase_message(amount_minor)
    (answer,) = await terminal.line.ask_raw(body_with_mac(terminal, message, key, spoil=spoil))
    return Exchange(message, answer)


def is_signed(terminal: Any, answer: Message, key: bytes) -> bool:
    language = terminal.line.language
    data = language.encode(answer)
    wire_bytes = language.dialect.elements[64].wire_bytes
    return make_mac(language.dialect.security.mac, key, data[:-wire_bytes]) == bytes.fromhex(answer.fields[64])


@pytest.mark.parametrize(("scheme", "size"), [("001", 24), ("003", 40), ("004", 60), ("005", 40), ("006", 60)])
async def test_a_sign_in_brings_the_keys_that_it_asks_for(scheme: str, size: int) -> None:
    terminal = UnionPayTerminal(guarded())

    answer = (await terminal.sign_in(f60=f"00{terminal.batch}{scheme}")).answer

    assert size == len(answer.fields[62]) // 2
    assert read_key_block(TMK, bytes.fromhex(answer.fields[62]), SCHEMES[scheme].algorithm).mac
    with pytest.raises(KeyCheckFailed):
        read_key_block(bytes(16), bytes.fromhex(answer.fields[62]), SCHEMES[scheme].algorithm)


async def test_keys_are_issued_even_when_macs_are_off() -> None:
    terminal = UnionPayTerminal(guarded("off"))
    await signed_in(terminal)

    sold = await sell(terminal, bytes(8), spoil=True)

    assert ("00", False) == (sold.code, 64 in sold.answer.fields)


async def test_a_terminal_with_a_master_key_of_its_own_gets_its_keys_under_that() -> None:
    own = "31323334353637383132333435363738"
    host = guarded(key_file=f'[[tmk]]\nmerchant_id = "898310000000001"\nterminal_id = "T0000002"\nkey = "{own}"\n')
    without, with_own = UnionPayTerminal(host), UnionPayTerminal(host, "T0000002")

    assert 62 not in (await without.sign_in()).answer.fields
    block = bytes.fromhex((await with_own.sign_in()).answer.fields[62])
    assert read_key_block(bytes.fromhex(own), block).mac


@pytest.mark.parametrize("scheme", ["001", "003", "004"])
async def test_a_right_mac_is_answered_with_a_mac(scheme: str) -> None:
    terminal = UnionPayTerminal(guarded())
    keys = await signed_in(terminal, scheme)

    sold = await sell(terminal, keys.mac)

    assert "00" == sold.code
    assert is_signed(terminal, sold.answer, keys.mac)


async def test_a_wrong_mac_is_refused_and_posts_no_money() -> None:
    host = guarded()
    terminal = UnionPayTerminal(host)
    keys = await signed_in(terminal)

    refused = await sell(terminal, keys.mac, spoil=True)
    other_key = await sell(terminal, bytes.fromhex("0123456789ABCDEF"))

    assert ("A0", "A0") == (refused.code, other_key.code)
    assert 64 not in refused.answer.fields
    assert not host.groups("T0000001")
    assert "00" == (await sell(terminal, keys.mac)).code


async def test_a_mac_of_a_terminal_that_did_not_sign_in_is_refused() -> None:
    host = guarded()
    terminal = UnionPayTerminal(host)
    await terminal.echo()

    assert "A0" == (await sell(terminal, bytes.fromhex("0123456789ABCDEF"))).code


async def test_without_a_mac_verify_serves_and_require_refuses_what_the_dialect_wants_it_on() -> None:
    for mode, code in (("verify", "00"), ("require", "A0")):
        terminal = UnionPayTerminal(guarded(mode))  # type: ignore[arg-type]
        keys = await signed_in(terminal)

        assert code == (await terminal.purchase(1_00)).code
        assert "00" == (await sell(terminal, keys.mac)).code
        assert "00" == (await terminal.echo()).code


def signature_message(terminal: UnionPayTerminal, sale: Exchange) -> Message:
    fields = {4: "000000000100", 11: terminal.next_stan(), 15: "0302", 37: sale.rrn, 60: f"07{terminal.batch}301"}
    return terminal.message("0820", {**fields, 62: "01" * 19}, {})


async def test_an_e_signature_must_carry_a_mac_and_an_echo_of_the_same_type_none() -> None:
    terminal = UnionPayTerminal(guarded("require"))
    keys = await signed_in(terminal)
    sale = await sell(terminal, keys.mac)
    message = signature_message(terminal, sale)

    bare = await terminal.line.ask(message.mti, message.fields)
    wrong = (await terminal.line.ask_raw(body_with_mac(terminal, message, keys.mac, spoil=True)))[0]
    right = (await terminal.line.ask_raw(body_with_mac(terminal, message, keys.mac)))[0]
    echo = await terminal.echo()

    assert ["A0", "A0", "00"] == [answer.fields[39] for answer in (bare, wrong, right)]
    assert is_signed(terminal, right, keys.mac)
    assert ("00", None) == (echo.code, echo.answer.fields.get(64))


async def test_the_keys_outlive_a_restart_sealed() -> None:
    host = guarded()
    terminal = UnionPayTerminal(host)
    keys = await signed_in(terminal)
    row = host.memory.table(KeyRow)[1]
    again = UnionPayTerminal(host.twin())
    again.stan, again.batch = terminal.stan, terminal.batch

    assert "00" == (await sell(again, keys.mac)).code
    assert not any(key.hex() in row.sealed for key in (keys.pin, keys.mac))


async def test_keys_that_do_not_open_any_more_count_as_none() -> None:
    host = guarded()
    terminal = UnionPayTerminal(host)
    keys = await signed_in(terminal)
    host.memory.table(KeyRow)[1] = host.memory.table(KeyRow)[1]._replace(sealed="01" + "00" * 40)
    again = UnionPayTerminal(host.twin())
    again.stan, again.batch = terminal.stan, terminal.batch

    assert "A0" == (await sell(again, keys.mac)).code
    assert (await signed_in(again)).mac != keys.mac
    assert "00" == (await again.purchase(1_00)).code


async def test_the_same_request_again_gets_the_same_answer_with_its_mac() -> None:
    terminal = UnionPayTerminal(guarded())
    keys = await signed_in(terminal)
    message = terminal.purchase_message(5_00)
    frame = body_with_mac(terminal, message, keys.mac)

    (first,) = await terminal.line.ask_raw(frame)
    (second,) = await terminal.line.ask_raw(frame)

    assert first.fields == second.fields
    assert is_signed(terminal, second, keys.mac)


async def test_a_hypercom_logon_brings_keys_and_macs_are_retail_macs() -> None:
    terminal = HypercomTerminal(guarded())
    answer = (await terminal.send("0800", {3: "920000", 11: terminal.next_stan(), 24: "003"}, {})).answer
    keys = read_logon(TMK, answer.fields[62].encode("latin-1")).keys

    sold = await sell(terminal, keys.mac)

    assert "00" == sold.code
    assert is_signed(terminal, sold.answer, keys.mac)
    assert "96" == (await sell(terminal, keys.mac, spoil=True)).code


async def test_where_no_key_travels_the_key_file_gives_them() -> None:
    mac = "0123456789ABCDEFFEDCBA9876543210"
    ids = 'merchant_id = "898310000000001"\nterminal_id = "I0000001"\n'
    terminal = Iso87Terminal(guarded(key_file=f'[[fixed_keys]]\n{ids}pin = "{mac}"\nmac = "{mac}"\n'))

    sold = await sell(terminal, bytes.fromhex(mac))

    assert "00" == sold.code
    assert is_signed(terminal, sold.answer, bytes.fromhex(mac))
    assert "96" == (await sell(terminal, bytes.fromhex(mac), spoil=True)).code


async def test_no_key_is_shown_by_what_holds_it() -> None:
    host = guarded()
    terminal = UnionPayTerminal(host)
    keys = await signed_in(terminal)
    await sell(terminal, keys.mac)

    shown = f"{host.guard} {host.book('T0000001').keys!r} {host.memory.entries} {host.memory.table(KeyRow)}"

    assert keys.mac.hex() not in shown.lower()
    assert keys.pin.hex() not in shown.lower()
