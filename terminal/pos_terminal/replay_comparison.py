"""An answer beside the recorded one, element by element."""

from __future__ import annotations

from typing import Any, NamedTuple

from pos_specs.language import Language
from pos_specs.masking import mask_fields
from pos_specs.message import Message
from pos_terminal.replay_allowances import Allowances, path_of

ABSENT = "absent"
HIDDEN = "not shown"


class Difference(NamedTuple):
    """What one element was and is, both masked; `element` is its number, or `mti`, or `answer`."""

    element: str
    name: str
    recorded: str
    answered: str

    def to_json(self) -> dict[str, Any]:
        return self._asdict()


class Comparison:
    """Compares answers; `ignored` are elements the user does not want looked at."""

    def __init__(self, allowances: Allowances, ignored: frozenset[int] = frozenset()) -> None:
        self._allowances = allowances
        self._ignored = ignored
        self._by_language: dict[tuple[str, bool], frozenset[int]] = {}

    def differences(
        self,
        language: Language,
        recorded: Message,
        answer: Message,
        hidden: frozenset[int] = frozenset(),
        *,
        same_card: bool = True,
    ) -> list[Difference]:
        """Where the two are not the same. Of `hidden` elements only the presence is compared; without the `same_card`
        that was recorded nothing that is said of it."""
        found = []
        if recorded.mti != answer.mti:
            found.append(Difference("mti", "message type", recorded.mti, answer.mti))
        then, now = mask_fields(language, recorded), mask_fields(language, answer)
        free = self._free(language, same_card)
        for number in sorted(recorded.fields.keys() | answer.fields.keys()):
            was, is_now = recorded.fields.get(number), answer.fields.get(number)
            if number in free or was == is_now or (number in hidden and was is not None and is_now is not None):
                continue
            found.append(_difference(language, number, then.get(str(number)), now.get(str(number))))
        return found

    def _free(self, language: Language, same_card: bool) -> frozenset[int]:
        """The elements in which an answer may differ: whole ones, named by the list or by the user."""
        known = self._by_language.get((language.name, same_card))
        if known is None:
            names = self._allowances.differs | (frozenset() if same_card else self._allowances.of_the_card)
            paths = [path_of(language, name) for name in names]
            numbers = {int(path) for path in paths if path is not None and path.isdecimal()}
            numbers |= {language.dialect.security.mac_element, *self._ignored}
            known = self._by_language[language.name, same_card] = frozenset(numbers)
        return known


def _difference(language: Language, number: int, then: str | None, now: str | None) -> Difference:
    element = language.dialect.elements.get(number)
    name = "" if element is None else element.title
    if then == now:
        then = now = HIDDEN
    return Difference(str(number), name, ABSENT if then is None else then, ABSENT if now is None else now)
