from __future__ import annotations

import pytest
from tests.unit.host.pipeline.terminals import UNIONPAY_CARD, VISA_CARD

from pos_host.clock import Instant
from pos_host.ledger.decision import Decision
from pos_host.transaction.reply import bare_reply, build_reply, response_code
from pos_specs.language import Language, open_language, shipped_languages
from pos_specs.message import Message

AT = Instant(1_772_452_800_000, "200000", "0302", "0303")
OUTCOMES = {
    "unionpay": "00 30 40 03 03 97 97 58 77 94 12 12 12 25 25 64 14 13 00 00 A0 A0 96",
    "hypercom": "00 30 12 03 03 89 89 58 80 94 12 12 12 25 25 13 14 13 95 77 96 96 96",
    "iso87-ascii": "00 30 40 03 03 58 58 58 96 94 12 12 12 25 25 64 14 13 96 00 96 96 96",
    "iso93-ascii": "000 904 902 109 109 109 109 119 909 913 902 902 902 914 914 110 111 110 909 501 916 916 909",
}
NAMES = [
    "approved",
    "format_error",
    "unsupported_function",
    "unknown_merchant",
    "merchant_closed",
    "unknown_terminal",
    "terminal_closed",
    "not_allowed_now",
    "wrong_batch",
    "duplicate_differs",
    "late_original",
    "already_voided",
    "already_reversed",
    "original_not_found",
    "original_settled",
    "original_differs",
    "invalid_card",
    "invalid_amount",
    "out_of_balance_send_batch",
    "out_of_balance",
    "mac_wrong",
    "mac_missing",
    "internal_error",
]


def reply_to(language: Language, message: Message, decision: Decision) -> dict[int, str]:
    route = language.route(message)
    assert route is not None
    reply = build_reply(language, route, message, decision, AT)
    assert reply.fields == language.decode(language.encode(reply)).fields
    return reply.fields


def sale(**changes: str) -> Message:
    fields = {2: UNIONPAY_CARD, 3: "000000", 4: "000000001234", 11: "000007", 22: "012", 25: "00"}
    fields |= {41: "T0000001", 42: "898310000000001", 49: "156", 60: "22000123000500"}
    return Message("0200", {**fields, **{int(name[1:]): value for name, value in changes.items()}})


def settlement(totals: str) -> Message:
    return Message(
        "0500",
        {11: "000008", 41: "T0000001", 42: "898310000000001", 48: totals, 49: "156", 60: "00000123201", 63: "01 "},
    )


@pytest.mark.parametrize("language", shipped_languages(), ids=lambda language: language.name)
def test_outcomes_have_the_codes_of_the_contract(language: Language) -> None:
    kind = (language.name, *language.dialect.bases)[-1]  # a dialect that extends another has its codes
    assert OUTCOMES[kind] == " ".join(response_code(language, name) for name in NAMES)


@pytest.mark.parametrize("language", shipped_languages(), ids=lambda language: language.name)
def test_every_code_an_outcome_has_is_explained(language: Language) -> None:
    assert set(language.dialect.outcomes.values()) <= language.dialect.codes.keys()


def test_an_answer_tells_the_business_day_and_the_local_time() -> None:
    fields = reply_to(open_language("unionpay"), sale(), Decision("approved", AT.at_ms, "000001000001", "000001"))

    assert ("200000", "0302", "0303") == (fields[12], fields[13], fields[15])


def test_a_refusal_has_neither_approval_code_nor_organisation_nor_institutions() -> None:
    fields = reply_to(open_language("unionpay"), sale(), Decision("invalid_card", AT.at_ms, "000001000001", "000001"))

    assert {38, 44, 63} & fields.keys() == set()


@pytest.mark.parametrize(("pan", "organisation"), [(UNIONPAY_CARD, "CUP"), (VISA_CARD, "VIS"), ("9" * 16, "000")])
def test_de63_is_the_cards_organisation(pan: str, organisation: str) -> None:
    fields = reply_to(open_language("unionpay"), sale(f2=pan), Decision("approved", AT.at_ms, "000001000001", "000001"))

    assert organisation == fields[63]


@pytest.mark.parametrize(
    "outcome", ["format_error", "wrong_batch", "duplicate_differs", "internal_error", "unknown_terminal"]
)
@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ("1" * 62, "1" * 30 + "3" + "1" * 30 + "3"),
        ("1" * 31, "1" * 30 + "3"),
        ("1" * 10, "0" * 30 + "3" + "0" * 30 + "3"),
    ],
)
def test_totals_that_could_not_be_judged_have_code_3_and_de39(outcome: str, sent: str, answered: str) -> None:
    language = open_language("unionpay")

    fields = reply_to(language, settlement(sent), Decision(outcome, AT.at_ms))

    assert (answered, response_code(language, outcome)) == (fields[48], fields[39])


@pytest.mark.parametrize("outcome", ["approved", "out_of_balance"])
def test_judged_totals_have_no_de39(outcome: str) -> None:
    totals = "0" * 30 + "1" + "0" * 30 + "1"

    fields = reply_to(
        open_language("unionpay"), settlement("0" * 62), Decision(outcome, AT.at_ms, values={"totals": totals})
    )

    assert (totals, None) == (fields[48], fields.get(39))


@pytest.mark.parametrize("language", shipped_languages(), ids=lambda language: language.name)
def test_an_answer_without_a_rule_holds_the_key_elements_and_the_code(language: Language) -> None:
    terminal_id = "T0000001".ljust(language.dialect.elements[41].max_length)
    message = Message("0600", {3: "000000", 11: "000007", 41: terminal_id, 42: "898310000000001"})

    reply = bare_reply(language, message, "unsupported_function", AT)

    code = language.dialect.outcomes["unsupported_function"]
    assert "0610" == reply.mti
    clock = {} if language.dialect.edition == "1993" else {12: "200000", 13: "0302"}
    assert {**message.fields, **clock, 39: code} == reply.fields
    assert reply.fields == language.decode(language.encode(reply)).fields
