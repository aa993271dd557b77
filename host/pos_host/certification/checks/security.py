"""Keys, MACs, PINs, and card data that stands where it does not belong."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pos_host.certification.checks.check import Check
from pos_host.certification.observed import MANAGEMENT, SETTLING, Observed
from pos_host.certification.parameters import Parameters
from pos_host.certification.story import Story
from pos_specs.cards import pan_of_track2
from pos_specs.frame_headers import SIGN_IN_AGAIN
from pos_specs.tlv import TlvError, parse_tlv

PAN, TRACKS, PIN_CAPTURE, PIN_BLOCK, SECURITY_CONTROL, ICC_DATA = 2, (35, 36, 45), 26, 52, 53, 55

CARD_ELEMENTS = frozenset({PAN, 34, *TRACKS, ICC_DATA, 102, 103})
"""Where a card number may stand; in an upload's DE48 too."""

TRACK_TAGS = ("57", "56", "9F6B", "99", "9F20")
"""Tags of EMV that hold a track or a PIN and that no message carries (EMV Book 3, annex A)."""

CVV_PART = "cvv2"
"""The part of Hypercom's DE63 that holds the CVV2: table 16."""

_TRACK = re.compile(r"[0-9]{12,19}[=D][0-9]{7}")


class MacRight(Check):
    """A MAC that a message carries is that of the message."""

    def see(self, story: Story, seen: Observed) -> None:
        if not seen.has_mac or story.keys in ("bad", "unsure"):
            return
        if seen.exchange.outcome != "mac_wrong":
            self.pass_("the MAC is right", seen)
        elif story.keys == "good":
            self.fail("the MAC is wrong", seen)


class MacPresent(Check):
    """After a sign-in every message that has to carries a MAC."""

    def see(self, story: Story, seen: Observed) -> None:
        security = seen.exchange.language.dialect.security
        if story.keys != "good" or not security.wants_mac(seen.mti, seen.function):
            return
        if seen.has_mac:
            self.pass_("it carries a MAC", seen)
        else:
            self.fail(f"{seen.function} carries no MAC", seen)


class KeysChecked(Check):
    """Keys whose check values are wrong are not used: the terminal signs in again, or sends nothing protected."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._open: Observed | None = None

    def see(self, story: Story, seen: Observed) -> None:
        opened = self._open
        if opened is not None and (seen.function == "sign_in" or seen.function not in MANAGEMENT):
            if seen.has_mac or PIN_BLOCK in seen.fields:
                self.fail("a MAC or PIN block was made after keys with wrong check values", opened, seen)
            elif seen.function == "sign_in":
                self.pass_("the terminal signed in again", opened, seen)
            else:
                self.pass_("what it sent next was made without keys", opened, seen)
            self._open = None
        if seen.function == "sign_in" and seen.exchange.rules and seen.heard == "yes":
            self._open = seen


class SignsInAfter(Check):
    """One of `codes` in an answer has the terminal sign in before it asks for anything else."""

    TAKES = frozenset({"codes"})

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._open: Observed | None = None

    def asks(self, seen: Observed) -> bool:
        """Whether the answer asks for a sign-in."""
        return seen.declined and seen.is_trade and seen.code in self.parameters.codes

    def see(self, story: Story, seen: Observed) -> None:
        opened = self._open
        if opened is not None:
            if seen.function == "sign_in":
                self.pass_("it signed in", opened, seen)
                self._open = None
            elif seen.is_trade:
                self.fail(f"{seen.function} came before a sign-in", opened, seen)
                self._open = None
        if self.asks(seen):
            self._open = seen


class SignsInWhenAsked(SignsInAfter):
    """A header that asks for a sign-in has the terminal sign in before it asks for anything else."""

    TAKES = frozenset()

    def asks(self, seen: Observed) -> bool:
        return seen.header_requirement == SIGN_IN_AGAIN


class PinElements(Check):
    """DE22, 26, 52 and 53 agree whether there is a PIN (UnionPay)."""

    def see(self, story: Story, seen: Observed) -> None:
        if not seen.is_trade:
            return
        fields = seen.fields
        entered = fields.get(22, "")[2:3] == "1"
        said = {
            "element 22": entered,
            "element 26": PIN_CAPTURE in fields,
            "element 52": PIN_BLOCK in fields,
            "element 53": fields.get(SECURITY_CONTROL, "0")[:1] in ("1", "2"),
        }
        if len(set(said.values())) == 1:
            self.pass_("with a PIN" if entered else "without a PIN", seen)
        else:
            speaking = ", ".join(name for name, value in said.items() if value)
            self.fail(f"{speaking} alone speak of a PIN", seen)


class SensitiveData(Check):
    """Tracks, PIN blocks and CVV2 stand only where a cardholder is asked for, a card number only in its elements."""

    def see(self, story: Story, seen: Observed) -> None:
        wrong = next(_misplaced(seen), "")
        if wrong:
            self.fail(wrong, seen)
        else:
            self.pass_("nothing stands where it does not belong", seen)


def _misplaced(seen: Observed) -> Iterator[str]:
    """What stands in the wrong place, in words without its content."""
    fields = seen.fields
    if seen.function in SETTLING | MANAGEMENT:
        for number in (*TRACKS, PIN_BLOCK):
            if number in fields:
                yield f"{seen.function} carries element {number}"
    cards = {card for card in (fields.get(PAN, ""), pan_of_track2(fields.get(35, ""))) if card}
    records = {48} if seen.function == "batch_upload" else set()
    for number, value in fields.items():
        text = _text_of(seen, number, value)
        if number not in CARD_ELEMENTS and _TRACK.search(text):
            yield f"element {number} holds a track"
        elif number not in CARD_ELEMENTS | records and any(card in text or card in value for card in cards):
            yield f"element {number} holds the card number"
    yield from _misplaced_tags(fields.get(ICC_DATA, ""))
    if not seen.is_trade and 63 in fields and _has_cvv(seen):
        yield "element 63 holds a CVV2 where no cardholder is asked for"


def _misplaced_tags(icc: str) -> Iterator[str]:
    try:
        tags = {tag for tag, _ in parse_tlv(bytes.fromhex(icc))}
    except (TlvError, ValueError):
        return
    for tag in TRACK_TAGS:
        if tag in tags:
            yield f"element 55 holds tag {tag}"


def _has_cvv(seen: Observed) -> bool:
    return CVV_PART in (seen.exchange.language.parts.of(seen.request, 63) or {})


def _text_of(seen: Observed, number: int, value: str) -> str:
    """An element as text: of one in binary, whose value is hex, the characters that its bytes are."""
    element = seen.exchange.language.dialect.elements.get(number)
    if element is None or element.content != "b":
        return value
    try:
        return bytes.fromhex(value).decode("latin-1")
    except ValueError:
        return value


CHECKS: dict[str, type[Check]] = {
    "mac_right": MacRight,
    "mac_present": MacPresent,
    "keys_checked": KeysChecked,
    "signs_in_after": SignsInAfter,
    "signs_in_when_asked": SignsInWhenAsked,
    "pin_elements": PinElements,
    "sensitive_data": SensitiveData,
}
