"""Whom a verb is about: a merchant or a terminal, as people name them and as the API's paths do."""

from __future__ import annotations

from typing import Annotated

import typer

from pos_host.verbs.office_client import part

MerchantArgument = Annotated[str, typer.Argument(metavar="MERCHANT", help="The merchant's number.")]
TerminalArgument = Annotated[str, typer.Argument(metavar="TERMINAL", help="The terminal id.")]
MerchantOption = Annotated[str | None, typer.Option("--merchant-id", help="The merchant, where several have that id.")]
"""Goes with a terminal: the id alone may name several."""


def merchant_path(merchant_id: str, *parts: str) -> str:
    """The API's path of a merchant, or of something of it."""
    return "/".join(("/merchants", part(merchant_id), *(part(one) for one in parts)))


def terminal_path(terminal_id: str, *parts: str) -> str:
    """The API's path of a terminal, or of something of it."""
    return "/".join(("/terminals", part(terminal_id), *(part(one) for one in parts)))
