"""What keys protect in a request: its MAC, its PIN and its chip's cryptogram; and the MAC of the answer.

`--mac off` checks and sends no MAC; `verify` checks one that is there and answers it with one; `require` refuses a
request without one where the dialect wants it. PINs and cryptograms are checked in every mode, where there are keys.
"""

from __future__ import annotations

import contextlib
from typing import NamedTuple

from pos_host.clock import Instant
from pos_host.ledger.book import Book
from pos_host.security.mac_mode import MacMode
from pos_host.security.message_keys import MessageKeys, Signature, keys_for
from pos_host.security.vault import KeyVault
from pos_host.transaction.request import CardReader, Request
from pos_specs.cards import pan_of_track2
from pos_specs.language import Language
from pos_specs.message import Message
from pos_specs.security.errors import SecurityError
from pos_specs.tlv import TlvError, parse_tlv

TRACK_2, PIN, SECURITY_CONTROL, ICC_DATA = 35, 52, 53, 55

CHIP_FUNCTIONS = frozenset({"balance", "purchase", "cash_advance", "auth"})
"""Functions whose cryptogram the issuer is asked about. What only tells of something done, an upload or an advice, is
never declined, and carries the certificate of a transaction that was judged before."""

SCRIPT_IDENTIFIER = "00000001"
"""9F18 of the scripts of test cards; the terminal gives it back in the script's result (EMV Book 4)."""

PIN_TRIES = 3
"""Wrong PINs after which a card is refused for the day, as issuers do; unionpay.md 6 has 75 for it."""

CARDS_COUNTED = 100_000
"""Cards with wrong PINs that are remembered; a flood of made-up cards could otherwise fill memory."""


class Refused(NamedTuple):
    """Why a request is refused before its handler sees it."""

    outcome: str
    reason: str


class Checked(NamedTuple):
    """What a request that stood the check brings for its answer: how that gets its MAC, and DE55 (hex)."""

    signature: Signature | None
    icc_answer: str


UNGUARDED = Checked(None, "")


class Guard:
    """Checks requests and signs answers with the keys of their terminals.

    `own_keys` says that the key file is the user's. The published issuer keys are nobody's: under them only a card of
    the test table is refused over its cryptogram, since any other card was made with other keys.
    """

    def __init__(self, mode: MacMode, vault: KeyVault, *, own_keys: bool = False) -> None:
        self.mode = mode
        self.vault = vault
        self._own_keys = own_keys
        self._wrong_pins: dict[str, tuple[str, int]] = {}

    def check(self, request: Request, book: Book, body: bytes, now: Instant, cards: CardReader) -> Checked | Refused:
        """MAC, track, PIN and chip of a request; the refusal of one that is not what it says."""
        fields = request.message.fields
        signature = None if self.mode == "off" else self.check_mac(request, book, body)
        if isinstance(signature, Refused):
            return signature
        if SECURITY_CONTROL in fields and self.decipher_track(request, book):
            request.card = request.read_card(cards)
        if PIN in fields:
            self.check_pin(request, book, now)
        icc = self.check_chip(request) if ICC_DATA in fields and request.function in CHIP_FUNCTIONS else ""
        if isinstance(icc, Refused):
            return icc
        return UNGUARDED if signature is None and not icc else Checked(signature, icc)

    def check_mac(self, request: Request, book: Book, body: bytes) -> Refused | Signature | None:
        """How the answer gets its MAC, a refusal, or None: served without one.

        Source: unionpay.md 5.3 (which messages carry it), the contract's table of outcomes.
        """
        message, dialect = request.message, request.language.dialect
        if self.mode == "verify" and 64 not in message.fields and 128 not in message.fields:
            return None
        from pos_specs.security.message_mac import mac_element, verify

        number = mac_element(dialect, message)
        stated = message.fields.get(number)
        if stated is None:
            wanted = dialect.security.mac and dialect.security.wants_mac(message.mti, request.function)
            if self.mode == "require" and wanted:
                return Refused("mac_missing", f"element {number} is missing and --mac require wants it")
            return None
        if not dialect.security.mac:
            return None
        keys = keys_for(request, book, self.vault)
        if not keys.mac:
            return Refused("mac_wrong", keys.lacking)
        try:
            covered = body[: -dialect.elements[number].wire_bytes]
            fits = verify(keys.signature.algorithm, keys.mac, covered, stated)
        except SecurityError as error:
            return Refused("mac_wrong", f"the MAC cannot be checked: {type(error).__name__}")
        return keys.signature if fits else Refused("mac_wrong", f"element {number} is not the MAC of the message")

    def decipher_track(self, request: Request, book: Book) -> bool:
        """Put track 2 into its place in clear, where DE53 says that it is enciphered and the terminal has a track key.

        True when it was. One that does not open stays as it is: its card number will not be one.
        """
        from pos_specs.security.track_cipher import decrypt_track, track_is_encrypted

        fields = request.message.fields
        if TRACK_2 not in fields or not track_is_encrypted(fields[SECURITY_CONTROL]):
            return False
        track_key = self.vault.keys_of(book).track
        if not track_key:
            return False
        try:
            fields[TRACK_2] = decrypt_track(track_key, fields[TRACK_2])
        except SecurityError:
            return False
        return True

    def check_pin(self, request: Request, book: Book, now: Instant) -> None:
        """Set `request.pin` and `request.pin_tries_left` for a request that carries a PIN block.

        Of a card that is not in the table every PIN is right. A wrong one that comes again in a repeat of its request
        is counted once.
        """
        keys = keys_for(request, book, self.vault)
        if not keys.pin:
            return
        card = request.card
        day, wrong = self._wrong_pins.get(card.print, (now.settlement_date, 0))
        wrong = wrong if day == now.settlement_date else 0
        request.pin = "unreadable"
        with contextlib.suppress(SecurityError, ValueError):
            pin = _pin(request, keys)
            request.pin = "right" if card.test is None or pin == card.test.pin else "wrong"
        if request.pin == "wrong" and not any(request.key in batch.answers for batch in book.batches):
            wrong += 1
            if len(self._wrong_pins) >= CARDS_COUNTED:
                self._wrong_pins.clear()
            self._wrong_pins[card.print] = (now.settlement_date, wrong)
        elif request.pin == "right" and wrong < PIN_TRIES:
            self._wrong_pins.pop(card.print, None)
        request.pin_tries_left = max(PIN_TRIES - wrong, 0)

    def check_chip(self, request: Request) -> Refused | str:
        """A refusal for a wrong cryptogram, else DE55 of an approval as hex ("" where there is none to send)."""
        from pos_specs.security import emv

        fields = request.message.fields
        pan = _pan_of(fields)
        issuer = self.vault.ring.issuer_key(pan) if pan else None
        if issuer is None or request.language.dialect.elements[ICC_DATA].content != "b":
            return ""
        try:
            tags = dict(parse_tlv(bytes.fromhex(fields[ICC_DATA])))
        except (TlvError, ValueError) as error:
            return Refused("format_error", f"element {ICC_DATA}: {error}")
        if "9F26" not in tags:
            return ""
        chip = emv.ChipData(pan, tags, fields.get(23, "000")[-2:])
        check = emv.check_cryptogram(issuer, chip)
        if check.result == "wrong" and (self._own_keys or request.card.test is not None):
            return Refused("cryptogram_wrong", check.reason)
        if check.result != "verified" or check.version is None:
            return ""
        answer = emv.issuer_authentication(check.version, issuer, chip)
        command = "" if request.card.test is None else request.card.test.script
        scripts = (emv.IssuerScript("72", SCRIPT_IDENTIFIER, (command,)),) if command else ()
        return emv.build_icc_answer(answer, tags.get("9F36", ""), scripts).hex().upper()


def signed(language: Language, reply: Message, signature: Signature) -> bytes:
    """The answer's bytes with its MAC; raises MessageError when it cannot be encoded."""
    from pos_specs.security.message_mac import sign

    return sign(language, reply, signature.algorithm, signature.key)


def _pin(request: Request, keys: MessageKeys) -> str:
    """The PIN in the clear, for as long as it is compared; raises SecurityError or ValueError."""
    from pos_specs.security.pin_block import decrypt_pin, unionpay_pin_format

    fields = request.message.fields
    by_element = keys.pin_format == "unionpay"
    pin_format = unionpay_pin_format(fields.get(SECURITY_CONTROL, "")) if by_element else keys.pin_format
    if pin_format is None:
        raise ValueError("element 53 says that there is no PIN")
    return decrypt_pin(pin_format, keys.pin, bytes.fromhex(fields[PIN]), _pan_of(fields))  # type: ignore[arg-type]


def _pan_of(fields: dict[int, str]) -> str:
    """The card number, of track 2 where DE2 is not there."""
    return fields.get(2) or pan_of_track2(fields.get(35, ""))
