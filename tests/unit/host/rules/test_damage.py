"""Bytes made wrong in every shipped dialect, and rule documents made of anything."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pos_host.rules.conditions import CONDITIONS
from pos_host.rules.damage import Answer, damaged
from pos_host.rules.errors import RuleFailed, RulesError
from pos_host.rules.fault_kinds import fault_kinds
from pos_host.rules.replies import REPLIES
from pos_host.rules.rule import rules_of
from pos_host.rules.ruling import unfit_code
from pos_specs.framing import Frame, Framer, join_frame
from pos_specs.language import Language, shipped_languages
from pos_specs.message import Message

BY_NAME = {language.name: language for language in shipped_languages()}
TPDU = bytes.fromhex("6000030001")


def answer_in(language: Language) -> Answer:
    framing = language.dialect.framing
    three_digits = language.dialect.edition == "1993"
    message = Message("1210" if three_digits else "0210", {11: "999999", 39: "000" if three_digits else "00"})
    frame = Frame(TPDU[: framing.envelope.tpdu_bytes], framing.envelope.header.sent, language.encode(message))
    return Answer(join_frame(framing, frame), language, None, Random(1))


def read(answer: Answer, data: bytes) -> Frame:
    (frame,) = Framer(answer.language.dialect.framing).receive_data(data)
    return frame


@pytest.mark.parametrize("name", BY_NAME)
def test_a_wrong_stan_wraps_and_everything_else_stays(name: str) -> None:
    answer = answer_in(BY_NAME[name])
    before, after = (read(answer, data) for data in (answer.frame, damaged("wrong_stan", {"by": 1}, answer)))
    fields = answer.language.decode(after.body).fields
    assert ("000000", before.tpdu, before.header) == (fields[11], after.tpdu, after.header)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_length_that_is_off_is_the_only_thing_that_is(name: str) -> None:
    answer = answer_in(BY_NAME[name])
    envelope = answer.language.dialect.framing.envelope
    if envelope.lead_bytes == 0:
        with pytest.raises(RuleFailed):
            damaged("bad_length", {"by": 1}, answer)
        return
    data = damaged("bad_length", {"by": 1}, answer)
    assert answer.frame[envelope.lead_bytes :] == data[envelope.lead_bytes :]
    assert answer.frame[: envelope.lead_bytes] != data[: envelope.lead_bytes]


@pytest.mark.parametrize("name", BY_NAME)
def test_the_addresses_of_a_tpdu_change_places_where_there_is_one(name: str) -> None:
    answer = answer_in(BY_NAME[name])
    if not answer.language.dialect.framing.envelope.tpdu_bytes:
        with pytest.raises(RuleFailed, match="has no TPDU"):
            damaged("wrong_tpdu", {}, answer)
        return
    after = read(answer, damaged("wrong_tpdu", {}, answer))
    assert (bytes.fromhex("6000010003"), read(answer, answer.frame).body) == (after.tpdu, after.body)


@pytest.mark.parametrize(
    ("kind", "values", "told"),
    [
        ("corrupt", {"offset": 500}, "none at offset 500"),
        ("missing_field", {"field": 44}, "the answer has no element 44 to leave out"),
        ("bad_length", {"by": -65535}, "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said(kind: str, values: dict[str, Any], told: str) -> None:
    with pytest.raises(RuleFailed, match=told):
        damaged(kind, values, answer_in(BY_NAME["unionpay"]))


@pytest.mark.parametrize("name", BY_NAME)
def test_every_code_of_a_dialect_can_be_sent_by_a_rule(name: str) -> None:
    language = BY_NAME[name]
    assert {None} == {unfit_code(language, code) for code in language.dialect.codes}
    assert "element 39" in (unfit_code(language, "12345") or "")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["auth", "51.00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "id": ANYTHING,
        "when": ANYTHING | st.dictionaries(st.sampled_from([*CONDITIONS]), ANYTHING, max_size=2),
        "reply": ANYTHING | st.dictionaries(st.sampled_from([*REPLIES]), ANYTHING, max_size=2),
        "fault": ANYTHING | st.fixed_dictionaries({"kind": st.sampled_from([*fault_kinds()])}),
        "times": ANYTHING,
    },
)


@settings(max_examples=150)
@given(DOCUMENTS)
def test_any_document_is_a_rule_or_refused_by_name(document: dict[str, Any]) -> None:
    told = ""
    try:
        told = f"body: rules[1] is {rules_of([document])[0].id}"
    except RulesError as error:
        told = str(error)
    assert told.startswith("body: rules[1]")
