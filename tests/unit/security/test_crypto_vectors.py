"""The published answers: every vector of `crypto.json` and `unionpay_crypto.json` is computed again here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.vectors.collection import Entry, entries, unionpay_body

from pos_specs.codec import Codec
from pos_specs.loader import load_dialect
from pos_specs.security import dukpt_aes, dukpt_tdes, track_cipher
from pos_specs.security.ciphers import decrypt_ecb, encrypt_ecb
from pos_specs.security.cryptogram_version import VERSIONS
from pos_specs.security.emv import ChipData, check_cryptogram, issuer_authentication, make_cryptogram
from pos_specs.security.errors import PinBlockError
from pos_specs.security.issuer_keys import IssuerKeys
from pos_specs.security.keys import WorkingKeys, check_value
from pos_specs.security.mac import cbc_mac, finish_pos_ecb, make_mac, pos_ecb, retail_mac, xor_of_blocks
from pos_specs.security.message_mac import verify
from pos_specs.security.pin_block import clear_pin_block, decrypt_pin, encrypt_pin, pin_of_clear_block
from pos_specs.security.unionpay_keys import build_key_block, read_key_block

VECTORS = 79
UNIONPAY_VECTORS = 9

Answers = dict[str, Any]


def unhex(text: str) -> bytes:
    return bytes.fromhex(text)


def shown(data: bytes) -> str:
    return data.hex().upper()


def message(inputs: Answers) -> bytes:
    return inputs["text"].encode("ascii") if "text" in inputs else unhex(inputs["data"])


def cbc(key: bytes, data: bytes) -> bytes:
    """DES or 3DES in CBC mode over whole blocks, from an initial value of zeros (ISO/IEC 10116)."""
    blocks = [bytes(8)]
    for start in range(0, len(data), 8):
        mixed = bytes(a ^ b for a, b in zip(data[start : start + 8], blocks[-1], strict=True))
        blocks.append(encrypt_ecb(key, mixed))
    return b"".join(blocks[1:])


def tdes_initial_key(given: Answers) -> Answers:
    return {"ik": shown(dukpt_tdes.initial_key(unhex(given["bdk"]), unhex(given["ksn"])))}


def tdes_transaction(given: Answers) -> Answers:
    ksn, data = unhex(given["ksn"]), message(given)
    key = dukpt_tdes.transaction_key(dukpt_tdes.initial_key(unhex(given["bdk"]), ksn), ksn)
    keys = dukpt_tdes.session_keys(key)
    assert keys == dukpt_tdes.host_session_keys(unhex(given["bdk"]), ksn)
    assert given["clear_pinblock_iso0"] == shown(clear_pin_block("iso-0", given["pin"], given["pan"]))
    block = encrypt_pin("iso-0", keys.pin, given["pin"], given["pan"])
    assert given["pin"] == decrypt_pin("iso-0", keys.pin, block, given["pan"])
    whole_blocks = data + bytes(-len(data) % 8)
    return {
        "txn_key": shown(key),
        "pin_key": shown(keys.pin),
        "encrypted_pinblock": shown(block),
        "mac_request_key": shown(keys.mac_request),
        "mac_request_4": shown(make_mac("x9.19", keys.mac_request, data)[:4]),
        "mac_response_4": shown(make_mac("x9.19", keys.mac_response, data)[:4]),
        "cmac_request": shown(make_mac("cmac", keys.mac_request, data)),
        "cmac_response": shown(make_mac("cmac", keys.mac_response, data)),
        "data_request_key": shown(keys.data_request),
        "data_request_cbc_iv0": shown(cbc(keys.data_request, whole_blocks)),
    }


def aes_transaction(given: Answers) -> Answers:
    ksn = unhex(given["ksn"])
    key = dukpt_aes.transaction_key(dukpt_aes.initial_key(unhex(given["bdk"]), ksn), ksn)
    keys = dukpt_aes.session_keys(key, ksn)
    assert keys == dukpt_aes.host_session_keys(unhex(given["bdk"]), ksn)
    answers = {
        "txn_key": shown(key),
        "pin_key": shown(keys.pin),
        "mac_gen_key": shown(keys.mac_generation),
        "data_enc_key": shown(keys.data_encryption),
    }
    if "pin" in given:
        fill = unhex(given["pin_field_iso4"])[8:]
        assert given["pin_field_iso4"] == shown(clear_pin_block("iso-4", given["pin"], fill=fill))
        block = encrypt_pin("iso-4", keys.pin, given["pin"], given["pan"], fill)
        assert given["pin"] == decrypt_pin("iso-4", keys.pin, block, given["pan"])
        answers["encrypted_pinblock_iso4"] = shown(block)
    return answers


def retail_with_double_keys(given: Answers) -> Answers:
    # The halves are equal, so that 3DES under each is DES, and the retail MAC has the first half of each for its key.
    first, second = unhex(given["k1"]), unhex(given["k2"])
    assert (first[:8], second[:8]) == (first[8:], second[8:])
    return {"mac": shown(retail_mac(first[:8] + second[:8], message(given), given["padding"]))}


def clear_block(format_number: int) -> Callable[[Answers], Answers]:
    def prove(given: Answers) -> Answers:
        fill = unhex(given.get("random_fill", "").ljust(16, "0"))
        name: Any = f"iso-{format_number}"
        block = clear_pin_block(name, given["pin"], given.get("pan", ""), fill)
        assert given["pin"] == pin_of_clear_block(name, block, given.get("pan", ""))
        return {"pinblock": shown(block), "pinblock_prefix": shown(block[:7])}

    return prove


def format_4(given: Answers) -> Answers:
    key, fill = unhex(given["key"]), unhex(given["fill"])
    block = encrypt_pin("iso-4", key, given["pin"], given["pan"], fill)
    assert given["pin"] == decrypt_pin("iso-4", key, block, given["pan"])
    return {"pinblock": shown(block)}


def format_0_with_strange_filling(given: Answers) -> Answers:
    key, block, pan = unhex(given["key"]), unhex(given["encrypted"]), given["pan"]
    with pytest.raises(PinBlockError, match="filling"):
        decrypt_pin("iso-0", key, block, pan)
    pan_field = int(pan[:-1][-12:], 16)
    field = int.from_bytes(decrypt_ecb(key, block), "big") ^ pan_field
    return {"pin": decrypt_pin("iso-0", key, block, pan, strict=False), "pin_field": f"{field:016X}"}


def visa(number: int) -> Callable[[Answers], Answers]:
    def prove(given: Answers) -> Answers:
        version = VERSIONS["visa", number]
        keys = IssuerKeys("test", "visa", *(unhex(given[f"iss_mk_{kind}"]) for kind in ("ac", "smi", "smc")))
        tags = {name[4:].upper(): value for name, value in given.items() if name.startswith("tag_")}
        tags.setdefault("9F10", f"0601{number:02X}{given.get('cvr', '')}")
        chip = ChipData(given["pan"], tags, given["psn"])
        arqc = make_cryptogram(version, keys, chip)
        tags["9F26"] = shown(arqc)
        if number != 22:  # the vector of 22 carries the 9F10 of 18
            assert ("verified", "", version) == check_cryptogram(keys, chip)
        value = issuer_authentication(
            version,
            keys,
            chip,
            response_code=unhex(given.get("arpc_rc", "3030")).decode("ascii"),
            status_update=given.get("csu", "00000000"),
        )
        carried = given.get("arpc_rc") or given["csu"]
        assert value.endswith(carried)
        return {"arqc": shown(arqc), "arpc": value.removesuffix(carried)}

    return prove


PROOFS: dict[str, Callable[[Answers], Answers]] = {
    "dukpt-tdes-ik": tdes_initial_key,
    "dukpt-tdes": tdes_transaction,
    "dukpt-aes128": aes_transaction,
    "dukpt-aes256": aes_transaction,
    "mac-x9.19-retail": lambda given: {"mac": shown(retail_mac(unhex(given["key"]), message(given), given["padding"]))},
    "mac-retail-3des-both": retail_with_double_keys,
    "mac-cbc-tdes": lambda given: {"mac": shown(cbc_mac(unhex(given["key"]), message(given), given["padding"]))},
    "cmac-aes128": lambda given: {"mac": shown(make_mac("cmac-aes", unhex(given["key"]), message(given)))},
    "cmac-tdes2": lambda given: {"mac": shown(make_mac("cmac", unhex(given["key"]), message(given)))},
    "pinblock-iso0": clear_block(0),
    "pinblock-iso1": clear_block(1),
    "pinblock-iso2": clear_block(2),
    "pinblock-iso3": clear_block(3),
    "pinblock-iso4": format_4,
    "pinblock-iso0-like": format_0_with_strange_filling,
    "emv-arqc-visa-cvn10": visa(10),
    "emv-arqc-visa-cvn18": visa(18),
    "emv-arqc-visa-cvn22": visa(22),
}
"""What computes the answers of a kind of vector."""


@pytest.mark.parametrize(
    "vector", [pytest.param(entry, id=f"{entry['kind']}: {entry['name']}") for entry in entries("crypto")]
)
def test_a_published_answer_is_computed_again(vector: Entry) -> None:
    computed = PROOFS[vector["kind"]](vector["inputs"])

    assert vector["expected"]
    assert vector["expected"] == {name: computed[name] for name in vector["expected"]}


def working_keys_40(vector: Entry) -> None:
    keys = read_key_block(unhex(vector["tmk"]), unhex(vector["de62"]))

    assert WorkingKeys(unhex(vector["pik"]), unhex(vector["mak"])) == keys
    assert vector["pik_kcv"] == shown(check_value(keys.pin, length=8))
    assert vector["mak_kcv"] == shown(check_value(keys.mac, length=8))
    assert vector["de62"] == shown(build_key_block(unhex(vector["tmk"]), keys))


def working_keys_24(vector: Entry) -> None:
    keys = WorkingKeys(unhex(vector["pik"]), unhex(vector["mak"]))

    assert vector["de62"] == shown(build_key_block(unhex(vector["tmk"]), keys))
    assert keys == read_key_block(unhex(vector["tmk"]), unhex(vector["de62"]))


def mac_of_data(vector: Entry) -> None:
    key, data = unhex(vector["mak"].split()[0]), unhex(vector["mab"])

    mac_from_xor_block(vector | {"mak": shown(key), "expected": vector["message_de64"]})
    assert vector["xor_block"] == shown(xor_of_blocks(data))
    assert vector["message_de64"].encode("ascii") == pos_ecb(key, data) == pos_ecb(key + key, data)
    assert verify("pos-ecb", key, data, vector["message_de64"].lower().encode("ascii").hex())


def mac_from_xor_block(vector: Entry) -> None:
    block = unhex(vector["xor_block"])
    key = unhex(vector["mak"])
    if "mak_cipher" in vector:
        assert key == decrypt_ecb(unhex(vector["tmk"]), unhex(vector["mak_cipher"]))

    assert vector["enc2"] == shown(finish_pos_ecb(key, shown(block).encode("ascii")))
    assert vector["expected"].encode("ascii") == vector["de64_ascii"].encode("ascii") == pos_ecb(key, block)


def clear_unionpay_block(vector: Entry) -> None:
    name: Any = "iso-0" if vector["pan"] else "no-pan"

    assert vector["expected"] == shown(clear_pin_block(name, vector["pin"], vector["pan"] or ""))
    assert vector["pin"] == pin_of_clear_block(name, unhex(vector["block"]), vector["pan"] or "")


def block_of(track: str) -> bytes:
    """The eight bytes of a track that its terminal enciphers: those before the last byte (unionpay.md 5.4)."""
    digits = track.replace("=", "D")
    return bytes.fromhex(digits + "0" * (len(digits) % 2))[-9:-1]


def track_blocks(vector: Entry) -> None:
    key = unhex("0123456789ABCDEFFEDCBA9876543210")
    for track, block in ((vector["track2"], vector["tdb2"]), (vector["track3"], vector["tdb3"])):
        enciphered = track_cipher.encrypt_track(key, track)

        assert block == shown(block_of(track))
        assert track.replace("=", "D") == track_cipher.decrypt_track(key, enciphered)
        assert block == shown(decrypt_ecb(key, block_of(enciphered)))


UNIONPAY_PROOFS: dict[str, Callable[[Entry], None]] = {
    "DE62 unwrap": working_keys_40,
    "DE62 wrap (single length)": working_keys_24,
    "MAC": mac_of_data,
    "MAC from XOR block": mac_from_xor_block,
    "clear PIN block": clear_unionpay_block,
    "track 2/3 block selection": track_blocks,
}


@pytest.mark.parametrize(
    "vector", [pytest.param(entry, id=f"{entry['kind']}: {entry['name']}") for entry in entries("unionpay_crypto")]
)
def test_a_published_unionpay_answer_is_computed_again(vector: Entry) -> None:
    UNIONPAY_PROOFS[vector["kind"]](vector)


def test_no_vector_is_left_out() -> None:
    assert VECTORS == len(entries("crypto"))
    assert set(PROOFS) == {entry["kind"] for entry in entries("crypto")}
    assert UNIONPAY_VECTORS == len(entries("unionpay_crypto"))
    assert set(UNIONPAY_PROOFS) == {entry["kind"] for entry in entries("unionpay_crypto")}


def test_the_mac_of_a_whole_captured_message_is_right() -> None:
    (captured,) = (entry for entry in entries("unionpay") if entry["name"] == "purchase_req_qr_mac_verified")
    body = unionpay_body(captured)
    stated = Codec(load_dialect("unionpay")).decode(body).fields[64]

    assert stated in (body[-8:].hex().upper(), body[-8:].decode("ascii"))
    assert verify("pos-ecb", unhex("0723C80DB5F4CD3D"), body[:-8], body[-8:].hex())
