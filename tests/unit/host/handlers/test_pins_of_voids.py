"""A PIN may come with a void, a completion or a refund too; a wrong one is refused there as well."""

from __future__ import annotations

from tests.unit.host.pipeline.terminals import UnionPayTerminal
from tests.unit.host.security.test_keys_and_macs import guarded, signed_in

from pos_specs.security.keys import WorkingKeys
from pos_specs.security.pin_block import encrypt_pin
from pos_specs.test_cards import find_test_card

FOUND = find_test_card("unionpay")
assert FOUND is not None
CARD = FOUND


def pin_fields(keys: WorkingKeys, pin: str) -> dict[str, str]:
    """Entry mode with PIN, its length, the block and the security control."""
    block = encrypt_pin("iso-0", keys.pin, pin, CARD.pan).hex().upper()
    return {"f22": "021", "f26": "12", "f52": block, "f53": "26" + "0" * 14}


async def test_a_wrong_pin_stops_what_asks_for_no_new_money() -> None:
    host = guarded()
    terminal = UnionPayTerminal(host)
    keys = await signed_in(terminal)
    wrong, right = pin_fields(keys, "999999"), pin_fields(keys, CARD.pin)
    sale = await terminal.purchase(10_00, CARD.pan)
    auth, other = await terminal.auth(50_00, CARD.pan), await terminal.auth(60_00, CARD.pan)

    for ask in (
        lambda pin: terminal.void(sale, **pin),
        lambda pin: terminal.complete(auth, 48_00, **pin),
        lambda pin: terminal.auth_void(other, **pin),
    ):
        assert ["55", "00"] == [(await ask(wrong)).code, (await ask(right)).code]


async def test_a_wrong_pin_stops_an_authorisation_and_a_refund() -> None:
    host = guarded()
    terminal = UnionPayTerminal(host)
    keys = await signed_in(terminal)
    wrong = pin_fields(keys, "999999")
    sale = await terminal.purchase(10_00, CARD.pan)

    assert "55" == (await terminal.auth(50_00, CARD.pan, **wrong)).code
    assert {} == host.book("T0000001").authorisations
    assert "55" == (await terminal.refund(sale, 1_00, **wrong)).code
