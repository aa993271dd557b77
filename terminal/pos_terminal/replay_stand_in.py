"""Stands in for the recorded terminals: keys, PINs and MACs of today, and the numbers that the host gives today."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pos_specs.language import Language
from pos_specs.message import Message
from pos_specs.recorded_exchanges import RecordedExchange
from pos_specs.security.errors import SecurityError
from pos_terminal.memory import Memory
from pos_terminal.pin import Pin
from pos_terminal.pin_pad import SCHEME, PadError, PadSettings, PinPad
from pos_terminal.replay_allowances import Allowances, path_of

PIN_BLOCK = 52


class StandIn:
    """One recorded terminal's stand-in. Its PIN pad takes the keys of the sign-ins that are played again;
    `unprotected` says why it could not protect the last request, "" where it could.

    `pin` is behind every PIN block, since recordings hold none; `random` gives so many random bytes.
    """

    def __init__(
        self,
        language: Language,
        settings: PadSettings,
        pin: Pin,
        allowances: Allowances,
        random: Callable[[int], bytes],
    ) -> None:
        self._language = language
        self._settings = settings
        self._pin = pin
        self._carried = allowances.carried
        self._pad = PinPad(language, Memory(language.name, "", ""), settings, random)
        self._today: dict[tuple[str, str], str] = {}
        self.unprotected = ""

    def request(self, step: RecordedExchange) -> Message:
        """The recorded request as it is to be sent today."""
        recorded = step.message
        message = Message(recorded.mti, dict(recorded.fields), recorded.pads)
        for carried in self._carried:
            for target in carried.targets:
                self._put_today(message, carried.source, target)
        self._protect(step, message)
        return message

    def learn(self, step: RecordedExchange, sent: Message, answer: Message) -> str:
        """Take from an answer what later requests need; gives what is wrong with it, "" when nothing is."""
        wrong = self._pad.why_not_believed(sent, answer) if self._pad.settings.uses_mac else ""
        if step.function == "sign_in":
            scheme = step.language.parts.getter("60.network_code")(sent) if 60 in sent.fields else None
            self._settings = replace(self._settings, scheme=_known_scheme(scheme))
            self._pad.settings = replace(self._settings)
            refused = self._pad.refusal_of_keys(answer)
            wrong = wrong or (f"keys are not taken: {refused}" if refused else "")
        if step.answer is not None:
            self._note_numbers(step, step.answer, answer)
        return wrong

    def expected(self, answer: Message) -> Message:
        """The recorded answer with the numbers that are today's."""
        message = Message(answer.mti, dict(answer.fields), answer.pads)
        for carried in self._carried:
            if carried.only_sign_in:
                self._put_today(message, carried.source, carried.source)
        return message

    def _note_numbers(self, step: RecordedExchange, recorded: Message, answer: Message) -> None:
        for carried in self._carried:
            path = path_of(self._language, carried.source)
            if path is None or (carried.only_sign_in and step.function != "sign_in"):
                continue
            read = self._language.parts.getter(path)
            then, now = read(recorded), read(answer)
            if then and now:
                self._today[carried.source, then] = now

    def _put_today(self, message: Message, source: str, target: str) -> None:
        path = path_of(self._language, target)
        then = None if path is None else self._language.parts.getter(path)(message)
        now = None if then is None else self._today.get((source, then))
        if path is None or then is None or now is None or len(then) != len(now):
            return
        number = int(path.partition(".")[0])
        value = message.fields[number]
        place = self._language.parts.slice_of(path)
        if place is not None:
            message.fields[number] = value[: place[0]] + now + value[place[1] :]
        else:
            message.fields[number] = value.replace(then, now, 1)

    def _protect(self, step: RecordedExchange, message: Message) -> None:
        """PIN block, track and MAC anew where the recorded request had them; without a key they stay as recorded."""
        had_mac = step.language.dialect.security.mac_element in message.fields or 128 in message.fields
        self._pad.settings = replace(self._settings, uses_mac=self._settings.uses_mac and had_mac)
        if had_mac and not self._settings.uses_mac:
            message.fields.pop(step.language.dialect.security.mac_element, None)
        before = dict(message.fields)
        self.unprotected = ""
        try:
            self._pad.protect(step.function, message, self._pin if PIN_BLOCK in message.fields else None)
        except (PadError, SecurityError) as error:
            message.fields = before
            self.unprotected = f"sent as recorded: {error}"


def _known_scheme(scheme: str | None) -> str:
    from pos_specs.security.unionpay_keys import SCHEMES

    return scheme if scheme in SCHEMES and scheme is not None else SCHEME
