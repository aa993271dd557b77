"""`pos-host documents`: the papers that merchants hand in."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated

import typer

from pos_host.change_verbs import MerchantArgument, path_of
from pos_host.listing import Column, show, show_one
from pos_host.office_client import AdminOption, JsonOption, ReadyFileOption, TokenOption, office_at
from pos_host.options import UsageError

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
def list_command(
    merchant_id: MerchantArgument,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List a merchant's papers, the oldest first."""
    office = office_at(admin, token, ready_file)
    show(office.items(path_of(merchant_id, "documents")), _DOCUMENTS, "documents", as_json=as_json)


@documents_app.command("hand-in")
def hand_in_command(
    merchant_id: MerchantArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The paper.")],
    kind: Annotated[str, typer.Option("--kind", help="business_licence, identity_document, proof_of_account …")],
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hand in a paper; its id is what applications name."""
    office = office_at(admin, token, ready_file)
    try:
        content = base64.b64encode(file.read_bytes()).decode()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror or error}") from None
    given = {"kind": kind, "name": file.name, "content_base64": content}
    show_one(office.post(path_of(merchant_id, "documents"), given), as_json=as_json)


@documents_app.command("fetch")
def fetch_command(
    merchant_id: MerchantArgument,
    document_id: Annotated[str, typer.Argument(metavar="ID", help="The paper's id.")],
    into: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; must not exist.")],
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
) -> None:
    """Write a paper's content into a file, for reviewers; every reading is audited."""
    office = office_at(admin, token, ready_file)
    try:
        there = into.exists()
    except OSError as error:
        raise UsageError(f"{into}: {error.strerror or error}") from None
    if there:
        raise UsageError(f"{into}: is there already")
    paper = office.get(path_of(merchant_id, "documents", document_id))
    try:
        into.write_bytes(base64.b64decode(paper["content_base64"]))
    except OSError as error:
        raise UsageError(f"{into}: {error.strerror or error}") from None
