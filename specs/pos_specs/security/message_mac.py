"""The MAC of a whole message: which element carries it, making it and verifying it.

It covers the bytes from the MTI up to the element that carries it, whose bit is set already (unionpay.md 5.3,
hypercom.md 5). Keys of the path are used through kept encryptors (`ciphers`).
"""

from __future__ import annotations

import hmac

from pos_specs.dialect import Dialect
from pos_specs.language import Language
from pos_specs.message import Message
from pos_specs.security.mac import make_mac

MAC_BYTES = 8
"""DE64 and DE128 hold eight bytes (ISO 8583); a longer MAC is cut to its first."""

_NO_MAC_YET = "0" * (2 * MAC_BYTES)


def mac_element(dialect: Dialect, message: Message) -> int:
    """The last element there can be: 128 in a message with a second bitmap, where the dialect has it (ISO 8583)."""
    return 128 if 128 in dialect.elements and max(message.fields, default=0) > 64 else dialect.security.mac_element


def message_mac(algorithm: str, key: bytes, covered: bytes) -> bytes:
    """The eight bytes that stand behind the bytes they cover; raises SecurityError for a key that does not fit."""
    return make_mac(algorithm, key, covered)[:MAC_BYTES]


def sign(language: Language, message: Message, algorithm: str, key: bytes) -> bytes:
    """Put the MAC into a message that is complete otherwise, its elements in order; gives the bytes of the whole.

    Raises MessageError when it cannot be encoded, SecurityError for a key that does not fit.
    """
    number = mac_element(language.dialect, message)
    element = language.dialect.elements[number]
    covered = _covered(language, message, number)
    mac = message_mac(algorithm, key, covered)
    message.fields[number] = digits = mac.hex().upper()
    return covered + (mac if element.content == "b" else digits.encode(element.plain_encoding))


def covered_by_mac(language: Language, message: Message) -> bytes:
    """What the MAC of a message covers, where its bytes are not at hand: encoded anew, the message left as it is."""
    number = mac_element(language.dialect, message)
    fields = dict(sorted({**message.fields, number: _NO_MAC_YET}.items()))
    return _covered(language, Message(message.mti, fields, message.pads), number)


def verify(algorithm: str, key: bytes, covered: bytes, stated: str) -> bool:
    """True when the element's value, hex digits, is the MAC of the bytes; what is no hex is no MAC.

    It takes a time that does not tell how much was right. The hexadecimal characters that `pos-ecb` makes are taken as
    small letters too. Raises SecurityError for a key that does not fit.
    """
    right = message_mac(algorithm, key, covered)
    try:
        given = bytes.fromhex(stated)
    except ValueError:
        return False
    return hmac.compare_digest(right, given.upper() if algorithm == "pos-ecb" else given)


def _covered(language: Language, message: Message, number: int) -> bytes:
    message.fields[number] = _NO_MAC_YET
    return language.encode(message)[: -language.dialect.elements[number].wire_bytes]
