"""The terminal's PIN pad: the one place where its keys are used.

It takes the working keys out of a sign-in's answer, makes PIN blocks, enciphers tracks, makes and checks MACs.
Nothing of `pos_specs.security` is imported before there is a key to use.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from pos_specs.cards import pan_of_track2
from pos_specs.dialect import DataElement
from pos_specs.language import Language
from pos_specs.message import Message
from pos_specs.text_codecs import to_bytes
from pos_terminal.memory import Memory
from pos_terminal.pin import Pin

if TYPE_CHECKING:
    from pos_specs.security.pin_block import PinFormat
    from pos_terminal.dukpt_device import Session

TEST_TMK = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
"""The master key that the host's shipped test keys have for every terminal."""

SCHEME = "003"
"""60.3 of a UnionPay sign-in: double-length keys, the most common (unionpay.md 5.1)."""

PIN_CAPTURE_DIGITS = "12"
"""DE26: longest PIN the pad takes (unionpay.md 5.2)."""

PIN_ELEMENT = 52
"""Where the PIN block travels (ISO 8583)."""

KEYS_ELEMENT = 62
"""Where a sign-in's answer brings the working keys (unionpay.md 5.1, hypercom.md 2.4)."""


@dataclass(frozen=True, slots=True)
class PadSettings:
    """What a PIN pad is loaded with; the repr shows no key.

    `mac_key` and `pin_key` take the place of those that a sign-in brings. With `ksn` every message has keys of its own
    (DUKPT) under the base key `bdk`, the shipped test key where that is b"". Without `uses_mac` no MAC is made or
    looked at, for hosts that have none.
    """

    tmk: bytes = field(repr=False, default=TEST_TMK)
    scheme: str = SCHEME
    mac_key: bytes = field(repr=False, default=b"")
    pin_key: bytes = field(repr=False, default=b"")
    uses_mac: bool = True
    ksn: bytes = b""
    bdk: bytes = field(repr=False, default=b"")


class PadError(Exception):
    """The PIN pad cannot do what is asked: a key is missing, or of a cipher that has no such block."""


class PinPad:
    """One terminal's PIN pad; its keys are the memory's. `random` gives so many random bytes."""

    def __init__(
        self,
        language: Language,
        memory: Memory,
        settings: PadSettings | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._language = language
        self._security = language.dialect.security
        self._memory = memory
        self.settings = settings or PadSettings()
        self.random = random
        self._session: Session | None = None

    def refusal_of_keys(self, answer: Message) -> str:
        """Adopt the working keys of a sign-in's answer; gives why they are refused, "" when they are not.

        The old ones are gone, whatever comes of it. An answer without keys brings none.
        """
        self._memory.keys = None
        value = answer.fields.get(KEYS_ELEMENT, "")
        if not value or self._security.keys == "none":
            return ""
        from pos_specs.security.errors import SecurityError

        try:
            self._take_keys(value)
        except (SecurityError, ValueError) as error:
            return str(error) if isinstance(error, SecurityError) else "DE62 does not hold bytes"
        return ""

    def check_pin_key(self) -> None:
        """Raise PadError when no PIN can be sent."""
        keys = self._memory.keys
        if self.settings.ksn:
            self._check_pin_element()
            return
        if not self._pin_key():
            brings = self._security.keys != "none"
            raise PadError(f"there is no PIN key: {'sign in first, or ' if brings else ''}give --pin-key")
        if not self.settings.pin_key and keys is not None and keys.algorithm != "des":
            raise PadError(f"no source says what a PIN block under {keys.algorithm.upper()} keys is")

    def protect(self, function: str, request: Message, pin: Pin | None) -> None:
        """Put PIN block, enciphered track and MAC into the request of a function that is complete otherwise.

        Raises PadError, and SecurityError for a key that fits nothing.
        """
        pan = request.fields.get(2) or pan_of_track2(request.fields.get(35, ""))
        self._session = None
        wants_mac = self._security.wants_mac(request.mti, function)
        if self.settings.ksn and (pin is not None or (wants_mac and self.settings.uses_mac)):
            self._derive_keys(request)
        control = self._encipher_track(request)
        if pin is not None:
            control = self._put_pin(request, pin, pan, control)
        if control and 53 in self._language.dialect.elements:
            request.fields[53] = control.ljust(16, "0")
        request.fields = dict(sorted(request.fields.items()))
        if wants_mac and (key := self._mac_key()):
            from pos_specs.security.message_mac import sign

            sign(self._language, request, self._mac_algorithm(), key)

    def sign_again(self, function: str, request: Message) -> None:
        """Make the MAC of a request that was changed after `protect`, under the same keys; none where it wants none.

        Raises MessageError where the request cannot be encoded.
        """
        key = self._mac_key()
        if key and self._security.wants_mac(request.mti, function):
            from pos_specs.security.message_mac import sign

            for number in (self._security.mac_element, 128):
                request.fields.pop(number, None)
            sign(self._language, request, self._security.mac, key)

    def why_not_believed(self, request: Message, answer: Message) -> str:
        """What is wrong with the MAC of an approval, "" when nothing is.

        Only a request with a MAC is answered with one, and only a plain approval (DE39 = 00, in 1993 000) must have it
        (unionpay.md 5.3); a MAC that is there must be right on any approval.
        """
        key = self._mac_key() if self._session is None else self._session.mac_response
        if not key:
            return ""
        from pos_specs.security.message_mac import covered_by_mac, mac_element, verify

        dialect = self._language.dialect
        if mac_element(dialect, request) not in request.fields:
            return ""
        stated = answer.fields.get(mac_element(dialect, answer))
        if stated is None:
            approved = answer.fields.get(39) == dialect.outcomes["approved"]
            return "has no MAC (with a host that makes none: --no-mac)" if approved else ""
        right = verify(self._mac_algorithm(), key, covered_by_mac(self._language, answer), stated)
        return "" if right else "has a wrong MAC"

    def _take_keys(self, value: str) -> None:
        data = _bytes_of(self._language.dialect.elements[KEYS_ELEMENT], value)
        if self._security.keys == "hypercom":
            from pos_specs.security.hypercom_keys import read_logon

            self._memory.keys = read_logon(self.settings.tmk, data).keys
            return
        from pos_specs.security.unionpay_keys import SCHEMES, read_key_block

        algorithm = SCHEMES[self.settings.scheme].algorithm
        self._memory.keys = read_key_block(self.settings.tmk, data, algorithm)

    def _put_pin(self, request: Message, pin: Pin, pan: str, control: str) -> str:
        """DE52, and DE26 and DE53 where UnionPay wants them (unionpay.md 5.2); gives the beginning of DE53."""
        from pos_specs.security.pin_block import FILL_BYTES, encrypt_pin

        self.check_pin_key()
        key = self._pin_key()
        unionpay = self._security.pin_format == "unionpay"
        own_format = self._security.pin_format if self._session is None else self._session.pin_format
        pin_format = cast("PinFormat", "iso-0" if own_format == "unionpay" else own_format)
        block = encrypt_pin(pin_format, key, pin.digits, pan, self.random(FILL_BYTES))
        request.fields[PIN_ELEMENT] = block.hex().upper()
        if not unionpay:
            return control
        request.fields[26] = PIN_CAPTURE_DIGITS
        return f"2{'6' if len(key) > 8 else '0'}{control[2:] or '0'}"

    def _encipher_track(self, request: Message) -> str:
        """DE35 under the track key; gives the beginning of DE53, "" when there is no such key."""
        keys = self._memory.keys
        if keys is None or not keys.track or 35 not in request.fields or keys.algorithm != "des":
            return ""
        from pos_specs.security.track_cipher import encrypt_track

        request.fields[35] = encrypt_track(keys.track, request.fields[35])
        return "061"

    def _derive_keys(self, request: Message) -> None:
        from pos_terminal.dukpt_device import next_session, put_serial

        self._session = next_session(self._memory, self.settings.ksn, self.settings.bdk)
        put_serial(self._language.dialect, request, self._session.serial)

    def _check_pin_element(self) -> None:
        """Raise PadError where the block of an AES device does not go into DE52 (ISO 9564-1, format 4)."""
        from pos_specs.security.ciphers import BLOCK_BYTES
        from pos_terminal.dukpt_device import is_aes

        dialect, needed = self._language.dialect, BLOCK_BYTES["aes"]
        element = dialect.elements.get(PIN_ELEMENT)
        if is_aes(self.settings.ksn) and (element is None or element.max_length != needed):
            raise PadError(
                f"the PIN block of an AES key has {needed} bytes: give --dialect a file that extends {dialect.name} "
                f'with [elements] {PIN_ELEMENT} = {{ format = "b{needed}" }}'
            )

    def _mac_algorithm(self) -> str:
        return self._security.mac if self._session is None else self._session.mac or self._security.mac

    def _mac_key(self) -> bytes:
        """b"" where no MAC is to be made; no source says what UnionPay's MAC is with SM4 keys."""
        keys = self._memory.keys
        if not self.settings.uses_mac or not self._security.mac:
            return b""
        if self._session is not None:
            return self._session.mac_request
        if self.settings.mac_key:
            return self.settings.mac_key
        return keys.mac if keys is not None and keys.algorithm == "des" else b""

    def _pin_key(self) -> bytes:
        keys = self._memory.keys
        if self._session is not None:
            return self._session.pin
        return self.settings.pin_key or (keys.pin if keys is not None else b"")


def _bytes_of(element: DataElement, value: str) -> bytes:
    """The bytes of an element: hex in one class, characters of the wire's encoding in the others."""
    return bytes.fromhex(value) if element.is_nibbles else to_bytes(value, element.text)
