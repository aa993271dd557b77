"""Changes of the rules by somebody: checked for the right, audited, and told as an event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Desk, Refused, Subject, Told, Written
from pos_host.rules.errors import RulesError
from pos_host.rules.rule import MOST_SEED
from pos_host.rules.rulebook import Rulebook, UnknownRule

SUBJECT = Subject("rules")

Json = dict[str, Any]


class RuleChanges:
    """The rulebook as the API sees it. Rules live in memory: a change that could not be audited is made all the same.

    Raises Forbidden, Refused for a document that is wrong (422) or a rule that is not there (404), and NotKept.
    """

    def __init__(self, desk: Desk, rulebook: Rulebook) -> None:
        self._desk = desk
        self._rulebook = rulebook

    def rules(self) -> list[Json]:
        """Every rule as it stands."""
        return self._rulebook.views()

    @property
    def seed(self) -> int:
        """What chance is drawn from."""
        return self._rulebook.seed

    def hits(self, id_: str) -> list[Json]:
        """The latest requests on which a rule acted, the newest first; raises Refused."""
        try:
            return self._rulebook.hit_views(id_)
        except UnknownRule as error:
            raise Refused("not_there", str(error), status=404) from None

    async def add(self, actor: Actor, document: dict[str, Any]) -> Json:
        """Put a rule behind the others; gives it."""
        made: Json = await self._change(actor, "add", lambda: self._rulebook.view(self._rulebook.add(document)))
        return made

    async def replace(self, actor: Actor, documents: Sequence[Any], seed: int | None) -> list[Json]:
        """Have these rules and no others, and draw chance from `seed` where one is given."""

        def change() -> list[Json]:
            if seed is not None and not 0 <= seed <= MOST_SEED:
                raise RulesError("body", None, "seed: must be a whole number from 0 to 2**63 - 1")
            self._rulebook.replace(documents)
            self._rulebook.seed = self._rulebook.seed if seed is None else seed
            return self._rulebook.views()

        made: list[Json] = await self._change(actor, "replace", change)
        return made

    async def remove(self, actor: Actor, id_: str) -> Json:
        """Forget a rule; gives it as it was."""

        def change() -> Json:
            gone = self._rulebook.view(id_)
            self._rulebook.remove(id_)
            return gone

        made: Json = await self._change(actor, "remove", change)
        return made

    async def enable(self, actor: Actor, id_: str, *, wanted: bool) -> Json:
        """Have a rule act, or not; gives it."""

        def change() -> Json:
            (self._rulebook.enable if wanted else self._rulebook.disable)(id_)
            return self._rulebook.view(id_)

        made: Json = await self._change(actor, "enable" if wanted else "disable", change)
        return made

    async def _change(self, actor: Actor, what: str, change: Callable[[], Any]) -> Any:
        def decide(now_ms: int) -> Written:
            try:
                answer = change()
            except RulesError as error:
                raise Refused("invalid_rule", error.reason, status=422) from None
            except UnknownRule as error:
                raise Refused("not_there", str(error), status=404) from None
            return Written(told=(Told("rules.changed", 0, {"change": what}),), answer=answer)

        return await self._desk.act(actor, "rules.change", SUBJECT, decide)
