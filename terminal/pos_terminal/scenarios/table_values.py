"""Kinds of values that stand in the tables of a scenario file."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

MOST_WAIT_S = 120.0
"""The longest `wait` or `timeout_s`: a terminal's own wait for an answer is 60 s, and a run in CI has minutes."""


def text_of(value: Any) -> Any:
    """A whole number for a text: people write 51 and mean "51"."""
    if isinstance(value, float):
        raise ValueError("must be text: put it in quotes, since a number loses its zeros")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _regular(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return pattern


Text = Annotated[str, BeforeValidator(text_of)]
Pattern = Annotated[str, AfterValidator(_regular), Field(description="a regular expression found in it")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Amount = Annotated[str, BeforeValidator(text_of), Field(description='as people write it: "12.34"', max_length=40)]
Stan = Annotated[str, BeforeValidator(text_of), Field(description="STAN of a logged transaction", max_length=40)]
HEX_PAIRS = r"^([0-9A-Fa-f]{2})+$"
Key = Annotated[str, Field(pattern=HEX_PAIRS, min_length=16, max_length=48, description="a test key, in hex")]


def _list(value: Any) -> Any:
    return [text_of(value)] if isinstance(value, str | int | float) else value


Texts = Annotated[list[Text], BeforeValidator(_list)]


class Given(BaseModel):
    """What all tables share: a key that is not known here is a mistake."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Nothing(Given):
    """No arguments: write `{}` or nothing."""
