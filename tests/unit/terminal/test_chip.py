"""Chip cards: DE55 with a right cryptogram, the host's answer heard, certificates, failures and script results told."""

import pytest
from tests.unit.terminal.scripted_host import NOW, Changes, ScriptedHost, a_terminal, after_power_cut, carry_out

from pos_specs.message import Message
from pos_specs.security.emv import (
    ChipData,
    IssuerScript,
    build_icc_answer,
    check_cryptogram,
    issuer_authentication,
)
from pos_specs.security.key_file import load_key_file
from pos_specs.tlv import parse_tlv
from pos_terminal.cards import TEST_CARDS, CardError
from pos_terminal.commands import Authorise, Forward, Inquire, Purchase, Reverse, Settle
from pos_terminal.terminal import Terminal
from pos_terminal.transaction import CHIP

CUP, VISA, MASTERCARD, JCB = (TEST_CARDS[name] for name in ("unionpay", "visa", "mastercard", "jcb"))
SCRIPT = IssuerScript("72", "00000001", ("8424000004A1B2C3D4",))
DISPUTES: dict[str, Changes] = {"unionpay": {48: "0" * 30 + "2" + "0" * 30 + "2"}, "hypercom": {39: "95"}}


def chip_of(request: Message) -> ChipData:
    tags = dict(parse_tlv(bytes.fromhex(request.fields[55])))
    return ChipData(request.fields[2], tags, request.fields[23][-2:])


def icc_answer(request: Message, scripts: tuple[IssuerScript, ...] = (), *, wrong: bool = False) -> str:
    """DE55 of an approval of that request, by the issuer's test key."""
    chip, issuer = chip_of(request), load_key_file().issuer_key(request.fields[2])
    assert issuer is not None
    check = check_cryptogram(issuer, chip)
    assert check.version is not None
    authentication = issuer_authentication(check.version, issuer, chip)
    if wrong:
        authentication = f"{int(authentication[:2], 16) ^ 1:02X}{authentication[2:]}"
    return build_icc_answer(authentication, chip.tags["9F36"], scripts).hex().upper()


def sell(dialect: str, scripts: tuple[IssuerScript, ...] = (), *, wrong: bool = False) -> tuple[Terminal, ScriptedHost]:
    """A chip sale; the host answers its cryptogram, rightly or not."""
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)
    terminal.begin(Purchase(VISA, 1234, "156", CHIP))
    request = terminal.next_request()
    assert request is not None
    host.will("purchase", {55: icc_answer(request, scripts, wrong=wrong)})
    answer = host.answer(request)
    assert answer is not None
    assert terminal.receive(answer) is not None
    return terminal, host


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom"])
@pytest.mark.parametrize("card", [CUP, VISA, MASTERCARD], ids=lambda card: card.organisation)
def test_a_chip_sale_carries_a_right_cryptogram(card: object, dialect: str) -> None:
    assert isinstance(card, type(CUP))
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)

    carry_out(terminal, host, Purchase(card, 1234, "156", CHIP))

    [request] = host.requests
    issuer = load_key_file().issuer_key(card.pan)
    assert issuer is not None
    assert "verified" == check_cryptogram(issuer, chip_of(request)).result
    tags = chip_of(request).tags
    assert ("000000001234", "0156", f"{NOW:%y%m%d}", "00") == (tags["9F02"], tags["5F2A"], tags["9A"], tags["9C"])
    assert ("052", "001", False) == (request.fields[22], request.fields[23], 35 in request.fields)


def test_the_chip_is_asked_for_balances_and_pre_authorisations_too() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")

    carry_out(terminal, host, Inquire(VISA, "156", CHIP))
    carry_out(terminal, host, Authorise(VISA, 100, "156", CHIP))

    types = [chip_of(request).tags["9C"] for request in host.requests]
    assert ["31", "03"] == types


def test_two_sales_have_different_counters_and_cryptograms() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    for _ in range(2):
        carry_out(terminal, host, Purchase(VISA, 1, "156", CHIP))

    first, second = (chip_of(request).tags for request in host.requests)
    assert first["9F36"] != second["9F36"]
    assert first["9F26"] != second["9F26"]


def test_a_card_without_a_test_key_is_refused_before_anything_is_sent() -> None:
    terminal = a_terminal("unionpay")
    terminal.begin(Purchase(JCB, 1, "156", CHIP))

    with pytest.raises(CardError, match="no test key"):
        terminal.next_request()
    assert terminal.memory.unfinished is None


@pytest.mark.parametrize("wrong", [False, True])
def test_the_card_believes_only_its_own_issuer(wrong: bool) -> None:
    terminal, _ = sell("unionpay", wrong=wrong)

    [sale] = terminal.memory.log
    assert wrong is sale.chip_failed
    assert sale.stands


def test_what_cannot_be_read_is_not_believed() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    host.will("purchase", {55: "9F36FF"})

    carry_out(terminal, host, Purchase(VISA, 1, "156", CHIP))

    assert terminal.memory.log[0].chip_failed


@pytest.mark.parametrize(
    ("wrong", "code", "element_62"),
    [(False, "203", "6101000000000012341 56"), (True, "204", "710105000000001234156 20")],
)
def test_a_balanced_unionpay_batch_ends_with_its_chip_records(wrong: bool, code: str, element_62: str) -> None:
    terminal, host = sell("unionpay", wrong=wrong)

    result = carry_out(terminal, host, Settle())

    assert ["settlement", "batch_upload", "batch_upload_end"] == host.functions()[1:]
    record, end = host.requests[2:]
    tags = chip_of(record).tags
    assert (code, "40", "000001") == (record.fields[60][-3:], tags["9F27"], record.fields[11])
    assert element_62.replace(" ", "") == bytes.fromhex(record.fields[62]).decode()
    assert ("0001", "207") == (end.fields[48], end.fields[60][-3:])
    assert result.closed is not None
    assert "balanced" == result.closed.result


def test_in_a_disputed_batch_a_chip_sale_goes_with_its_certificate_alone() -> None:
    terminal, host = sell("unionpay")
    carry_out(terminal, host, Purchase(VISA, 1, "156"))
    host.will("settlement", DISPUTES["unionpay"])

    carry_out(terminal, host, Settle())

    assert ["201", "205"] == [request.fields[60][-3:] for request in host.of("batch_upload")]
    assert "0002" == host.of("batch_upload_end")[0].fields[48]


def test_hypercom_is_told_of_the_certificate_before_anything_else() -> None:
    terminal, host = sell("hypercom")

    carry_out(after_power_cut(terminal), host, Settle())

    assert ["purchase", "tc_advice", "settlement"] == host.functions()
    advice = host.of("tc_advice")[0].fields
    assert ("940000", "0200000001", "000002") == (advice[3], advice[60][:10], advice[11])


def test_what_became_of_a_script_is_told_before_the_next_message() -> None:
    terminal, host = sell("unionpay", (SCRIPT,))

    carry_out(after_power_cut(terminal), host, Purchase(CUP, 1, "156"))

    assert ["purchase", "script_result", "purchase"] == host.functions()
    notice = host.of("script_result")[0]
    assert "2000000001" == chip_of(notice).tags["DF31"]
    assert ("0620", "0000010000010302", "951") == (notice.mti, notice.fields[61], notice.fields[60][8:11])
    assert "000002" == notice.fields[11]


@pytest.mark.parametrize("template", ["7200", "72039F18FF"])
def test_a_script_that_does_not_name_itself_is_told_of_with_zeros(template: str) -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    host.will("purchase", {55: template})
    carry_out(terminal, host, Purchase(VISA, 1, "156", CHIP))

    carry_out(terminal, host, Forward())

    assert "2000000000" == chip_of(host.of("script_result")[0]).tags["DF31"]


def test_an_answer_that_says_another_code_than_its_cryptogram_is_not_believed() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    terminal.begin(Purchase(VISA, 1234, "156", CHIP))
    request = terminal.next_request()
    assert request is not None
    host.will("purchase", {39: "11", 55: icc_answer(request)})
    answer = host.answer(request)
    assert answer is not None
    terminal.receive(answer)

    assert terminal.memory.log[0].chip_failed


def test_a_script_from_somebody_else_is_not_performed() -> None:
    terminal, _ = sell("unionpay", (SCRIPT,), wrong=True)

    assert [] == terminal.memory.notices


def test_a_notice_is_given_up_after_three_tries() -> None:
    terminal, host = sell("unionpay", (SCRIPT,))
    host.will("script_result", *[None] * 3)
    for _ in range(3):
        assert not carry_out(terminal, host, Forward()).answered

    assert "nothing is stored" == carry_out(terminal, host, Forward()).reason
    assert 3 == len(host.of("script_result"))


def test_a_refused_notice_is_not_told_again() -> None:
    terminal, host = sell("unionpay", (SCRIPT,))
    host.will("script_result", {39: "25"})

    assert carry_out(terminal, host, Forward()).answered
    assert [] == terminal.memory.notices


def test_a_reversal_keeps_little_of_the_chips_data() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    host.will("purchase", None)
    carry_out(terminal, host, Purchase(VISA, 1, "156", CHIP))

    carry_out(after_power_cut(terminal), host, Reverse())

    undone = host.of("reversal")[0]
    assert ["95", "9F1E", "9F10", "9F36"] == list(chip_of(undone).tags)
    assert chip_of(host.requests[0]).tags["9F36"] == chip_of(undone).tags["9F36"]
