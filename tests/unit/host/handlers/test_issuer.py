"""What the issuer of a card says."""

from __future__ import annotations

import pytest
from tests.unit.host.handlers.conftest import Terminal
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import UnionPayTerminal

from pos_host.clock import Instant, instant
from pos_host.handlers.issuer import Judgement, has_expired, judge
from pos_host.settlement.policy import load_policy
from pos_host.transaction.request import CardReader, Request
from pos_specs import test_cards
from pos_specs.language import open_language
from pos_specs.message import Message
from pos_specs.totals import Side

POLICY = load_policy(None)
NOW = instant(POLICY, 1_772_452_800_000)
"""2026-03-02 20:00:00 in Shanghai."""

UNKNOWN = "6222020000000000126"
TAKES_A_PART, TAKES_ALL = "22000001000501", "22000001000500"


def purchase(pan: str, **changes: str) -> Request:
    language = open_language("unionpay")
    fields = {
        2: pan,
        3: "000000",
        4: "000000000100",
        11: "000001",
        22: "012",
        25: "00",
        41: "T0000001",
        42: "898310000000001",
        49: "156",
        60: TAKES_ALL,
    }
    fields |= {int(name[1:]): value for name, value in changes.items()}
    message = Message("0200", fields)
    route = language.route(message)
    assert route is not None
    return Request(language, route, message, CardReader(b"key"))


def card(name: str) -> str:
    found = test_cards.find_test_card(name)
    assert found is not None
    return found.pan


def test_a_card_that_is_not_in_the_table_is_approved() -> None:
    assert Judgement("approved", "", 999_999_999_999, None) == judge(purchase(UNKNOWN), 999_999_999_999, NOW)


def test_a_good_card_is_approved_with_its_balance() -> None:
    assert Judgement("approved", "", 100, 1_000_000_000) == judge(purchase(card("visa")), 100, NOW)


@pytest.mark.parametrize(
    ("suffix", "code"),
    [
        ("refer-to-issuer", "01"),
        ("pick-up-card", "04"),
        ("do-not-honour", "05"),
        ("restricted-card-kept", "36"),
        ("lost-card", "41"),
        ("stolen-card", "43"),
        ("insufficient-funds", "51"),
        ("expired", "54"),
        ("wrong-pin", "55"),
        ("not-permitted-to-card", "57"),
        ("suspected-fraud", "59"),
        ("restricted-card", "62"),
        ("too-many-uses", "65"),
        ("pin-tries-exceeded", "75"),
        ("issuer-unavailable", "91"),
        ("pin-block-wrong", "99"),
    ],
)
@pytest.mark.parametrize("scheme", ["unionpay", "visa"])
def test_a_card_made_for_an_answer_gives_it(scheme: str, suffix: str, code: str) -> None:
    request = purchase(card(f"{scheme}-{suffix}"))

    judgement = judge(request, 100, NOW)

    assert (code, 0) == (request.language.dialect.code_for(judgement.outcome), judgement.amount_minor)
    assert request.message.fields[2] not in judgement.reason


def test_a_limit_can_be_reached_and_not_passed() -> None:
    request = purchase(card("unionpay-over-limit"))

    assert ["approved", "over_limit"] == [judge(request, amount, NOW).outcome for amount in (10_000, 10_001)]


def test_a_card_with_less_than_is_asked_gives_it_to_a_terminal_that_takes_a_part() -> None:
    request = purchase(card("unionpay-partial"), f60=TAKES_A_PART)

    assert ("partially_approved", 5_000) == judge(request, 5_001, NOW)[::2]
    assert ("approved", 5_000) == judge(request, 5_000, NOW)[::2]


def test_a_terminal_that_takes_no_part_is_told_that_there_are_no_funds() -> None:
    judgement = judge(purchase(card("unionpay-partial")), 5_001, NOW)

    assert ("insufficient_funds", 0, 5_000) == (judgement.outcome, judgement.amount_minor, judgement.balance_minor)


def test_a_card_is_good_in_the_month_it_expires() -> None:
    assert not has_expired("2603", NOW)
    assert has_expired("2602", NOW)
    assert not has_expired("7512", NOW), "fifty years ahead is nearer than fifty behind"
    assert has_expired("7703", NOW), "and 1977 is nearer than 2077"


@pytest.mark.parametrize("text", ["", "0000", "2613", "26", "26AB"])
def test_what_is_no_month_does_not_expire(text: str) -> None:
    assert not has_expired(text, NOW)


@pytest.mark.parametrize(
    ("at_ms", "expired"),
    [
        (1_798_732_800_000, "2612"),  # 2026-12-31 16:00 UTC: in Shanghai it is January
        (1_798_729_200_000, "2611"),  # an hour before: it is still December
    ],
)
def test_the_month_is_the_merchants(at_ms: int, expired: str) -> None:
    now: Instant = instant(POLICY, at_ms)

    month = int(expired[:2]) * 12 + int(expired[2:])
    following = f"{month // 12:02d}{month % 12 + 1:02d}"
    assert has_expired(expired, now)
    assert not has_expired(following, now)


@pytest.mark.parametrize("changes", [{"f14": "2602"}, {"f35": "4111111111111111D26022010000000000"}])
def test_the_expiry_that_the_terminal_read_counts_too(changes: dict[str, str]) -> None:
    assert "expired_card" == judge(purchase(card("visa"), **changes), 100, NOW).outcome


@pytest.mark.parametrize(
    ("pin", "left", "outcome"),
    [
        ("", 0, "approved"),
        ("right", 3, "approved"),
        ("wrong", 2, "wrong_pin"),
        ("wrong", 0, "pin_tries_exceeded"),
        ("right", 0, "pin_tries_exceeded"),
        ("unreadable", 3, "pin_block_wrong"),
    ],
)
@pytest.mark.parametrize("pan", [UNKNOWN, "4111111111111111"])
def test_a_pin_is_judged_by_what_the_check_found(pan: str, pin: str, left: int, outcome: str) -> None:
    request = purchase(pan)
    request.pin, request.pin_tries_left = pin, left  # type: ignore[assignment]

    assert outcome == judge(request, 100, NOW).outcome


def test_where_nothing_is_taken_funds_do_not_matter() -> None:
    assert Judgement("approved", "", 0, 0) == judge(purchase(card("visa-insufficient-funds")), 0, NOW)


async def test_a_part_that_is_approved_stands_in_the_answer_and_in_the_totals(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    whole = await unionpay.purchase(50_01, card("unionpay-partial"))
    part = await unionpay.purchase(50_01, card("unionpay-partial"), f60=f"22{unionpay.batch}000501")
    again = await unionpay.again(part)

    assert ["51", "10", "10"] == [done.code for done in (whole, part, again)]
    assert ["000000005001", "000000005000", "000000005000"] == [done.answer.fields[4] for done in (whole, part, again)]
    assert part.answer.fields == again.answer.fields
    assert {38, 44, 63} <= part.answer.fields.keys()
    assert Side(1, 50_00) == host.groups("T0000001")["domestic_debit"]


async def test_a_refused_card_is_answered_with_its_code_in_every_dialect(terminal: Terminal) -> None:
    assert ["41", "51", "54"] == [
        (await terminal.purchase(1_00, card(f"visa-{name}"))).code
        for name in ("lost-card", "insufficient-funds", "expired")
    ]
