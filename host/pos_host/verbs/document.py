"""`pos-host documents`: the papers that merchants hand in."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated

import typer

from pos_host.options import UsageError
from pos_host.verbs.asking import Asked, asks_a_host, needs_a_host
from pos_host.verbs.listing import Column
from pos_host.verbs.office_client import OfficeClient
from pos_host.verbs.whom import MerchantArgument, merchant_path

documents_app = typer.Typer(name="documents", help="The papers that merchants hand in.", no_args_is_help=True)

_DOCUMENTS: tuple[Column, ...] = (
    ("id", "document_id"),
    ("kind", "kind"),
    ("name", "name"),
    ("bytes", "size_bytes"),
    ("handed in", "kept_at"),
    ("by", "handed_in_by"),
)


@documents_app.command("list")
@asks_a_host
def list_command(asked: Asked, merchant_id: MerchantArgument) -> None:
    """List a merchant's papers, the oldest first."""
    asked.show(asked.host.items(merchant_path(merchant_id, "documents")), _DOCUMENTS, "documents")


@documents_app.command("hand-in")
@asks_a_host
def hand_in_command(
    asked: Asked,
    merchant_id: MerchantArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The paper.")],
    kind: Annotated[str, typer.Option("--kind", help="business_licence, identity_document, proof_of_account …")],
) -> None:
    """Hand in a paper; its id is what applications name."""
    try:
        content = base64.b64encode(file.read_bytes()).decode()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror or error}") from None
    given = {"kind": kind, "name": file.name, "content_base64": content}
    asked.show_one(asked.host.post(merchant_path(merchant_id, "documents"), given))


@documents_app.command("fetch")
@needs_a_host
def fetch_command(
    host: OfficeClient,
    merchant_id: MerchantArgument,
    document_id: Annotated[str, typer.Argument(metavar="ID", help="The paper's id.")],
    into: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; must not exist.")],
) -> None:
    """Write a paper's content into a file, for reviewers; every reading is audited."""
    try:
        there = into.exists()
    except OSError as error:
        raise UsageError(f"{into}: {error.strerror or error}") from None
    if there:
        raise UsageError(f"{into}: is there already")
    paper = host.get(merchant_path(merchant_id, "documents", document_id))
    try:
        into.write_bytes(base64.b64decode(paper["content_base64"]))
    except OSError as error:
        raise UsageError(f"{into}: {error.strerror or error}") from None
