"""What an approval does to the books of a terminal, and what a card's chip makes of it."""

from __future__ import annotations

from dataclasses import replace

from pos_specs.message import Message
from pos_terminal import batch_log
from pos_terminal.exchange import Exchange
from pos_terminal.memory import Memory, Notice
from pos_terminal.transaction import CERTIFIED, Transaction

NOTICE_TRIES = 3
"""Messages without a fit answer before a notice is given up. unionpay.md 4.2: what fails again is given up;
the number is that of reversals, our choice."""

OFF_THE_BOOKS = frozenset({"auth", "auth_void"})
"""What moves no money: it is in no batch, and pre-authorisations outlive theirs (unionpay.md 4.1)."""


NOTICES = ("script_result", "tc_advice")
"""What is told about a chip transaction afterwards: what became of issuer scripts, and the card's certificate."""


def approve(memory: Memory, transaction: Transaction, answer: Message, notices: tuple[str, ...]) -> None:
    """Enter an approved transaction, mark what it speaks of, and let the card hear the answer.

    `notices` are those of `NOTICES` that the dialect has.
    """
    if transaction.function == "auth":
        memory.remember(transaction)
    elif transaction.function not in OFF_THE_BOOKS:
        memory.log.append(transaction)
    batch_log.note_approval(memory.log, memory.authorisations, transaction)
    if transaction.icc:
        _let_the_card_hear(memory, transaction, answer, notices)


def count_try(memory: Memory, exchange: Exchange) -> None:
    """A notice was not answered; after the last try it is given up."""
    notice = memory.notices[0]
    notice.tries += 1
    if notice.tries >= NOTICE_TRIES:
        exchange.given_up = True
        memory.notices.pop(0)


def _let_the_card_hear(memory: Memory, transaction: Transaction, answer: Message, notices: tuple[str, ...]) -> None:
    from pos_terminal.chip_card import for_script_notice, for_upload, hear_answer

    came = answer.fields.get(55, "")
    heard = hear_answer(transaction.pan, transaction.icc, came, answer.fields.get(39, ""))
    transaction.chip_failed = not heard.accepted
    if heard.scripts and "script_result" in notices:
        _store(memory, transaction, "script_result", for_script_notice(transaction.icc, heard.scripts))
    if "tc_advice" in notices and transaction.function in CERTIFIED:
        _store(memory, transaction, "tc_advice", for_upload(transaction.icc))


def _store(memory: Memory, transaction: Transaction, function: str, icc: str) -> None:
    """A notice with a STAN of its own that names the transaction."""
    original = transaction.as_original()
    notice = replace(transaction, function=function, stan=memory.next_stan(), icc=icc, original=original)
    memory.notices.append(Notice(notice))
