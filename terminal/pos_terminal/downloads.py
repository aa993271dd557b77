"""Downloads: what a host lists, item by item, and the notice of the end.

Source: unionpay.md 2.1 (DE60.3), 2.3 (DE62 of CA keys and applications).
"""

from __future__ import annotations

from collections.abc import Generator
from hashlib import sha1
from typing import NamedTuple

from pos_specs.language import Language
from pos_specs.message import Message
from pos_specs.tlv import TlvError, build_tlv, parse_tlv
from pos_terminal.applications.application import Application, DownloadCodes
from pos_terminal.commands import Command, Manage
from pos_terminal.dialogue import Dialogue, Told
from pos_terminal.requests import NoSuchFunction

DOWNLOADS = ("parameters", "ca-keys", "applications")

PARAMETERS = "parameters"
"""The dialects' function of all these messages."""

DATA = 62
NOTHING, COMPLETE, MORE = b"0", b"1", b"2"
"""The first byte of an answer: nothing of the kind, this is all of it, ask again."""

IDENTIFIER, INDEX = "9F06", "9F22"
"""RID or AID, and a key's index; they name what is downloaded."""

EXPIRY, MODULUS, EXPONENT, CHECKSUM = "DF05", "DF02", "DF04", "DF03"

MOST_ITEMS = 99
"""The query says in two digits how many items the terminal has."""

Item = dict[str, str]
"""Tag and value, both hex."""


class DownloadFailed(Exception):
    """The host's answer is no part of a download."""


class Page(NamedTuple):
    """One answer: whether the list goes on, and what of it came."""

    goes_on: bool
    items: list[Item]


def downloading(language: Language, application: Application, what: str) -> Dialogue:
    """The commands of one download; raises NoSuchFunction where the dialect has none, DownloadFailed for an answer
    that makes no sense."""
    codes = application.downloads.get(what)
    if codes is None:
        raise NoSuchFunction(f"dialect {language.name} has no download of {what}")
    return _item_by_item(what, codes) if codes.listed else _at_once(language, what, codes)


def _at_once(language: Language, what: str, codes: DownloadCodes) -> Dialogue:
    answer = yield Manage(PARAMETERS, codes.item)
    parts = language.parts.of(answer, DATA) or {}
    values = {name: value.strip() for name, value in parts.items() if isinstance(value, str)}
    if codes.end:
        yield Manage(PARAMETERS, codes.end)
    return Told([f"{name} {value}" for name, value in values.items()], {"download": what, "values": values})


def _item_by_item(what: str, codes: DownloadCodes) -> Dialogue:
    listed = yield from _listed(codes)
    items = []
    for entry in listed:
        named = [(tag, entry[tag]) for tag in (IDENTIFIER, INDEX) if tag in entry]
        answer = yield Manage(PARAMETERS, codes.item, build_tlv(named).hex().upper())
        items.append(_the_one(answer, dict(named)))
    yield Manage(PARAMETERS, codes.end)
    return Told([_in_words(item) for item in items], {"download": what, "items": items})


def _listed(codes: DownloadCodes) -> Generator[Command, Message, list[Item]]:
    """Every entry of the list, asked for page by page."""
    listed: list[Item] = []
    goes_on = True
    while goes_on:
        if len(listed) > MOST_ITEMS:
            raise DownloadFailed(f"the list has more than {MOST_ITEMS} items")
        answer = yield Manage(PARAMETERS, codes.listed, f"1{len(listed):02d}".encode("ascii").hex().upper())
        goes_on, items = read_page(answer)
        if goes_on and not items:
            raise DownloadFailed("the host says that its list goes on, and sends nothing of it")
        listed += items
    return listed


def read_page(answer: Message) -> Page:
    """What an answer brings, an item beginning with each tag 9F06; raises DownloadFailed."""
    try:
        data = bytes.fromhex(answer.fields.get(DATA, ""))
        pairs = parse_tlv(data[1:])
    except (TlvError, ValueError):
        raise DownloadFailed("element 62 of the answer holds no data objects") from None
    if data[:1] not in (NOTHING, COMPLETE, MORE):
        raise DownloadFailed("element 62 of the answer does not say whether the list is complete")
    items: list[Item] = []
    for tag, value in pairs:
        if tag == IDENTIFIER:
            items.append({})
        elif not items:
            raise DownloadFailed(f"element 62 of the answer begins with tag {tag}, not with {IDENTIFIER}")
        items[-1][tag] = value
    return Page(data[:1] == MORE, items)


def _the_one(answer: Message, named: Item) -> Item:
    items = read_page(answer).items
    if len(items) != 1 or not named.items() <= items[0].items():
        raise DownloadFailed(f"the host did not send {' '.join(named.values())}, which it has in its list")
    item = items[0]
    if MODULUS in item:
        hashed = bytes.fromhex("".join(item.get(tag, "") for tag in (IDENTIFIER, INDEX, MODULUS, EXPONENT)))
        if sha1(hashed, usedforsecurity=False).hexdigest().upper() != item.get(CHECKSUM):
            raise DownloadFailed(f"CA key {item[IDENTIFIER]} {item.get(INDEX, '')}: its checksum is wrong")
    return item


def _in_words(item: Item) -> str:
    if MODULUS not in item:
        return f"application {item[IDENTIFIER]}, {len(item) - 1} parameters"
    expiry = bytes.fromhex(item.get(EXPIRY, "")).decode("ascii", "replace")
    return f"CA key {item[IDENTIFIER]} {item.get(INDEX, '')}, {len(item[MODULUS]) * 4} bits, until {expiry}"
