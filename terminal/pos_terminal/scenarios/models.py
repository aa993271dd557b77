"""What a scenario file may say, as pydantic models: they check a file, and its JSON Schema is made of them.

Loaded by `pos-terminal run` alone: pydantic takes longer to load than a terminal takes to sell.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from pos_terminal.scenarios.expectations import Check, Expect
from pos_terminal.scenarios.step_arguments import (
    Accident,
    Adjust,
    Alter,
    Auth,
    Completion,
    Composed,
    Inquiry,
    Manage,
    OfflinePurchase,
    Purchase,
    Raw,
    Refund,
    Reversal,
    Sale,
    Settlement,
    Void,
)
from pos_terminal.scenarios.table_values import HEX_PAIRS, MOST_WAIT_S, Given, Key, Name, Nothing, Text, Texts

MOST_STEPS = 1_000
"""Steps of one scenario, loops written out: a business day of one terminal has fewer."""

MOST_BRANCHES = 100
"""Branches of one `together`: each is a terminal with a connection of its own."""

Saved = Annotated[
    str,
    Field(
        pattern=r"^((response|request)\.[0-9]{1,3}(\.[A-Za-z0-9_]+)?|body\.[A-Za-z0-9_.-]+)$",
        description="response.37, request.60.batch_number, or body.items.0.id after a step of the API",
    ),
]


class Api(Given):
    """A request to the admin API; `path` stands behind /api/v1."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: str = Field(pattern=r"^/")
    body: Any = None
    status: int = Field(default=200, ge=100, le=599)
    expect: dict[str, Any] = Field(default={}, description="values of the answer by path: items.0.state")


class Wait(Given):
    """Real seconds."""

    seconds: float = Field(gt=0, le=MOST_WAIT_S, strict=False)


TERMINAL_STEPS: dict[str, type[Given]] = {
    "sign_in": Manage,
    "sign_off": Manage,
    "echo": Manage,
    "parameters": Manage,
    "status": Manage,
    "balance": Inquiry,
    "purchase": Purchase,
    "cash_advance": Sale,
    "auth": Auth,
    "completion": Completion,
    "completion_advice": Completion,
    "purchase_void": Void,
    "refund_void": Void,
    "completion_void": Void,
    "auth_void": Void,
    "refund": Refund,
    "offline_purchase": OfflinePurchase,
    "adjust": Adjust,
    "reversal": Reversal,
    "script_result": Nothing,
    "forward": Nothing,
    "settlement": Settlement,
    "message": Composed,
    "raw": Raw,
}
"""Steps that send something; each may have `alter`, `accident`, `expect`, `save`, `timeout_s`."""

HOST_STEPS = frozenset({"rules", "clear_rules", "advance", "settle_by_host", "reset", "api", "check"})
"""Steps that go over the admin API."""

LINE_STEPS = frozenset({"hang_up", "reconnect", "power_cut"})
"""Steps of a terminal that send nothing."""


class Step(Given):
    """One step: exactly one thing that is done, and what belongs to it."""

    sign_in: Manage | None = None
    sign_off: Manage | None = None
    echo: Manage | None = None
    parameters: Manage | None = None
    status: Manage | None = None
    balance: Inquiry | None = None
    purchase: Purchase | None = None
    cash_advance: Sale | None = None
    auth: Auth | None = None
    completion: Completion | None = None
    completion_advice: Completion | None = None
    purchase_void: Void | None = None
    refund_void: Void | None = None
    completion_void: Void | None = None
    auth_void: Void | None = None
    refund: Refund | None = None
    offline_purchase: OfflinePurchase | None = None
    adjust: Adjust | None = None
    reversal: Reversal | None = None
    script_result: Nothing | None = None
    forward: Nothing | None = None
    settlement: Settlement | None = None
    message: Composed | None = None
    raw: Raw | None = None

    hang_up: Nothing | None = None
    reconnect: Nothing | None = None
    power_cut: Nothing | None = None
    wait: Wait | None = None

    rules: list[dict[str, Any]] | None = Field(default=None, description="rule documents; docs/rules.md")
    clear_rules: Nothing | None = None
    advance: Annotated[str, Field(description="ISO 8601 duration: PT10H")] | None = None
    settle_by_host: Nothing | None = None
    reset: Nothing | None = None
    api: Api | None = None
    check: Check | None = None

    together: Annotated[list[list[Any]], Field(max_length=MOST_BRANCHES)] | None = Field(
        default=None, description="lists of steps that are done at the same time, each by its own terminal"
    )
    each: list[dict[str, Any]] | None = Field(default=None, description="rows of variables: `do` is done for each")
    do: list[Any] | None = None

    terminal: Name | None = Field(default=None, description="whose step it is; by default the first terminal's")
    note: str | None = Field(default=None, description="what is going on, for people")
    alter: Alter | None = None
    accident: Annotated[
        Accident | None, BeforeValidator(lambda value: {"kind": value} if isinstance(value, str) else value)
    ] = None
    expect: Expect | None = None
    save: dict[Name, Saved] | None = None
    timeout_s: float | None = Field(default=None, gt=0, le=MOST_WAIT_S, strict=False)

    @model_validator(mode="before")
    @classmethod
    def _nothing_for_null(cls, value: Any) -> Any:
        """`- echo:` is `- echo: {}`."""
        if isinstance(value, dict):
            return {key: {} if item is None and key in WITHOUT_ARGUMENTS else item for key, item in value.items()}
        return value

    @model_validator(mode="after")
    def _one_thing(self) -> Step:
        done = self.verbs
        if len(done) != 1:
            known = ", ".join(sorted(VERBS))
            raise ValueError(f"one step does one thing, this does {', '.join(done) or 'nothing'}; there are {known}")
        if (self.each is None) != (self.do is None):
            raise ValueError("each (rows) and do (steps) go together")
        if self.verb not in TERMINAL_STEPS:
            for name in ("alter", "accident", "expect", "timeout_s"):
                if getattr(self, name) is not None:
                    raise ValueError(f"{name} goes with a message that a terminal sends, not with {self.verb}")
        return self

    @property
    def verbs(self) -> list[str]:
        """The things it does: one, once it is checked."""
        return [name for name in VERBS if getattr(self, name) is not None]

    @property
    def verb(self) -> str:
        """What it does."""
        return self.verbs[0]


_BESIDE = frozenset({"do", "terminal", "note", "alter", "accident", "expect", "save", "timeout_s"})
VERBS = tuple(name for name in Step.model_fields if name not in _BESIDE)
"""Every key of a step that is a thing to do."""

WITHOUT_ARGUMENTS = frozenset(
    {"sign_in", "sign_off", "echo", "parameters", "status", "balance", "completion", "completion_advice"}
    | {"purchase_void", "refund_void", "completion_void", "auth_void", "reversal", "script_result", "forward"}
    | {"settlement", "hang_up", "reconnect", "power_cut", "clear_rules", "settle_by_host", "reset"}
)
"""What may stand without anything behind it."""


class HostNeeds(Given):
    """How the host must have been started; only a private host can be known to be so."""

    mac: Literal["off", "verify", "require"] = "verify"
    enrol: Literal["open", "strict"] = "open"


class Needs(Given):
    """What a host must have, so that the scenario can be lived against it."""

    dialect: Texts | None = Field(default=None, description="by default those of the terminals")
    admin: bool | Literal["optional"] | None = Field(
        default=None, description="its API; optional: checks at the host are passed over without"
    )
    manual_clock: bool | None = None
    host: HostNeeds | None = None


class TerminalSpec(Given):
    """A terminal; ids that are not given are made for the run."""

    dialect: str | None = None
    terminal_id: Text | None = None
    merchant_id: Text | None = None
    stan: int | None = Field(default=None, ge=0, le=999_999, description="used last before the scenario")
    scheme: Literal["001", "003", "004", "005", "006"] = "003"
    tmk: Key | None = None
    mac_key: Key | None = None
    pin_key: Key | None = None
    ksn: Annotated[str, Field(pattern=HEX_PAIRS, min_length=16, max_length=24)] | None = None
    no_mac: bool = False
    timeout_s: float | None = Field(default=None, gt=0, le=MOST_WAIT_S, strict=False)


class ScenarioFile(Given):
    """A story of terminals and a host."""

    scenario: str = Field(min_length=1, max_length=200, description="its title")
    description: str = Field(min_length=1, max_length=1_000, description="one sentence on what it shows")
    tags: list[Name] = Field(default=[])
    needs: Needs = Needs()
    variables: dict[Name, Text] = Field(default={})
    each: list[dict[str, Any]] | None = Field(default=None, min_length=1, description="it is lived once for each row")
    terminals: dict[Name, TerminalSpec] = Field(default={})
    steps: list[Any] = Field(min_length=1, max_length=MOST_STEPS)


class ScenarioSchema(ScenarioFile):
    """The same with its steps, for the JSON Schema."""

    steps: list[Step] = Field(min_length=1, max_length=MOST_STEPS)
