"""The cryptogram of a chip card and its answer: ARQC verified, ARPC made, DE55 of an answer built.

pyemv computes what EMV and the schemes share; UnionPay's session key is here. Tags go in and out as upper-case hex,
as `pos_specs.tlv` reads them.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from pos_specs.cards import PAN_DIGITS
from pos_specs.security.ciphers import encrypt_once
from pos_specs.security.cryptogram_version import VERSIONS, CryptogramVersion, SessionKey, version_number
from pos_specs.security.errors import SecurityError
from pos_specs.security.issuer_keys import IssuerKeys
from pos_specs.security.keys import odd_parity
from pos_specs.security.quiet_libraries import quiet_pyemv
from pos_specs.tlv import build_tlv

APPROVED_STATUS_UPDATE = "00820000"
"""Card status update of method 2 for an approval: the issuer approves online and resets the offline counters.

From general knowledge of EMV Book 2 table 14 (Common Core Definitions): no source at hand."""

_ELEMENT_BYTES = {
    "9F02": 6, "9F03": 6, "9F1A": 2, "95": 5, "5F2A": 2, "9A": 3, "9C": 1, "9F37": 4, "82": 2, "9F36": 2, "9F26": 8,
    "5F34": 1,
}  # fmt: skip
"""EMV Book 3 annex A."""


@dataclass(slots=True)
class ChipData:
    """What a request says of a card: its number, the tags of DE55, and its sequence number from DE23.

    The repr shows none of it. `sequence` is two digits, and counts only where 5F34 is not among the tags.
    """

    pan: str = field(repr=False)
    tags: Mapping[str, str] = field(repr=False)
    sequence: str = field(repr=False, default="00")


class CryptogramCheck(NamedTuple):
    """What became of an ARQC; `reason` says why it was not verified, `version` is None when it is not known."""

    result: Literal["verified", "wrong", "unsupported"]
    reason: str = ""
    version: CryptogramVersion | None = None


class IssuerScript(NamedTuple):
    """Commands for the card: before (71) or after (72) its final cryptogram, as upper-case hex."""

    tag: Literal["71", "72"]
    identifier: str
    commands: tuple[str, ...]


def check_cryptogram(keys: IssuerKeys, chip: ChipData) -> CryptogramCheck:
    """Whether 9F26 of a request is what the card computes; what a peer sends raises nothing here."""
    version, reason = find_version(keys, chip.tags.get("9F10", ""))
    if version is not None:
        reason = _unfit(version, (*version.elements, "9F26"), chip)
    if version is None or reason:
        return CryptogramCheck("unsupported", reason, version)
    if hmac.compare_digest(make_cryptogram(version, keys, chip), bytes.fromhex(chip.tags["9F26"])):
        return CryptogramCheck("verified", "", version)
    return CryptogramCheck("wrong", f"the cryptogram does not match by {version.name}", version)


def find_version(keys: IssuerKeys, issuer_data: str) -> tuple[CryptogramVersion | None, str]:
    """The version that 9F10 (hex) names under this issuer's scheme, or None and the reason."""
    if not issuer_data:
        return None, "tag 9F10 is missing"
    number = version_number(keys.scheme, bytes.fromhex(issuer_data))
    if number is None:
        return None, f"tag 9F10 has {len(issuer_data) // 2} bytes, too few for a version"
    version = VERSIONS.get((keys.scheme, number))
    if version is None:
        return None, f"cryptogram version {number} of {keys.scheme} is not served"
    return version, ""


def make_cryptogram(version: CryptogramVersion, keys: IssuerKeys, chip: ChipData) -> bytes:
    """The cryptogram of a request, eight bytes, as the card computes it (EMV Book 2 8.1).

    Raises SecurityError naming the tag that is missing or has another length.
    """
    _demand(version, version.elements, chip)
    ac = quiet_pyemv().ac
    signed = b"".join(bytes.fromhex(chip.tags[tag]) for tag in version.elements)
    signed += version.issuer_data.cut(bytes.fromhex(chip.tags["9F10"]))
    padding = ac.PaddingType.VISA if version.padding == "zeros" else ac.PaddingType.EMV
    cryptogram: bytes = ac.generate_ac(_key_for(version.session_key, version, keys, chip), signed, padding, 8)
    return cryptogram


def issuer_authentication(
    version: CryptogramVersion,
    keys: IssuerKeys,
    chip: ChipData,
    *,
    response_code: str = "00",
    status_update: str = APPROVED_STATUS_UPDATE,
) -> str:
    """The value of tag 91: ARPC and response code (method 1) or ARPC and card status update (method 2).

    `chip` is the request's, with 9F26; `response_code` is DE39's two characters, `status_update` eight hex digits.
    Raises SecurityError naming what is missing or has another length. Source: EMV Book 2 8.2.
    """
    _demand(version, ("9F36", "9F37", "9F26"), chip)
    if len(response_code) != 2 or not response_code.isascii() or len(status_update) != 8:
        raise SecurityError("the answer takes a response code of 2 characters and a status update of 8 hex digits")
    ac = quiet_pyemv().ac
    key = _key_for(version.answer_key, version, keys, chip)
    arqc = bytes.fromhex(chip.tags["9F26"])
    if version.answer_method == 1:
        carried = response_code.encode("ascii")
        answer: bytes = ac.generate_arpc_1(key, arqc, carried) + carried
    else:
        carried = bytes.fromhex(status_update)
        answer = ac.generate_arpc_2(key, arqc, carried) + carried
    return answer.hex().upper()


def build_icc_answer(
    authentication: str, transaction_counter: str = "", scripts: tuple[IssuerScript, ...] = ()
) -> bytes:
    """DE55 of an answer: 9F36 when given (UnionPay sends it), 91, then the scripts.

    A script is a template of its identifier (9F18) and its commands (86). EMV Book 3 10.10, annex A.
    """
    pairs = [("9F36", transaction_counter)] if transaction_counter else []
    pairs += [("91", authentication)] if authentication else []
    for script in scripts:
        inner = [("9F18", script.identifier)] if script.identifier else []
        inner += [("86", command) for command in script.commands]
        pairs.append((script.tag, build_tlv(inner).hex().upper()))
    return build_tlv(pairs)


def _demand(version: CryptogramVersion, elements: tuple[str, ...], chip: ChipData) -> None:
    if reason := _unfit(version, elements, chip):
        raise SecurityError(reason)


def _unfit(version: CryptogramVersion, elements: tuple[str, ...], chip: ChipData) -> str:
    """Why the chip data is not enough for this version; empty when it is."""
    issuer_bytes = len(chip.tags.get("9F10", "")) // 2
    if issuer_bytes < version.shortest_issuer_data:
        return f"tag 9F10 has {issuer_bytes} bytes, {version.name} needs {version.shortest_issuer_data}"
    for tag in (*elements, *(("5F34",) if "5F34" in chip.tags else ())):
        if tag not in chip.tags:
            return f"tag {tag} is missing, {version.name} needs it"
        if len(chip.tags[tag]) != 2 * _ELEMENT_BYTES[tag]:
            return f"tag {tag} has {len(chip.tags[tag]) // 2} bytes, {_ELEMENT_BYTES[tag]} expected"
    if not (chip.pan.isascii() and chip.pan.isdigit() and len(chip.pan) in PAN_DIGITS):
        return f"the PAN has {len(chip.pan)} characters, {PAN_DIGITS.start} to {PAN_DIGITS.stop - 1} digits expected"
    if len(chip.sequence) != 2 or not (chip.sequence.isascii() and chip.sequence.isdigit()):
        return "the sequence number of the card must have two digits"
    return ""


def _key_for(kind: SessionKey, version: CryptogramVersion, keys: IssuerKeys, chip: ChipData) -> bytes:
    kd = quiet_pyemv().kd
    derive = kd.derive_icc_mk_a if version.card_key == "a" else kd.derive_icc_mk_b
    card_key: bytes = derive(keys.cryptogram, chip.pan, chip.tags.get("5F34", chip.sequence))
    if kind == "none":
        return card_key
    counter = bytes.fromhex(chip.tags["9F36"])
    if kind == "pboc":
        return _pboc_session_key(card_key, counter)
    tail = bytes.fromhex("0000" + chip.tags["9F37"]) if kind == "mastercard" else bytes(6)
    session: bytes = kd.derive_common_sk(card_key, counter + tail)
    return session


def _pboc_session_key(card_key: bytes, counter: bytes) -> bytes:
    """Halves: six zeros and the ATC, six zeros and the ATC inverted, enciphered under the card's key."""
    inverted = bytes(byte ^ 0xFF for byte in counter)
    return odd_parity(encrypt_once(card_key, bytes(6) + counter + bytes(6) + inverted))
