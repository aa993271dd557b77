"""Cryptograms of chip cards and their answers; Visa's known ones stand in test_crypto_vectors."""

from typing import Any

import pytest

from pos_specs.security.cryptogram_version import VERSIONS, CryptogramVersion
from pos_specs.security.emv import (
    ChipData,
    IssuerScript,
    build_icc_answer,
    check_cryptogram,
    issuer_authentication,
    make_cryptogram,
)
from pos_specs.security.errors import SecurityError
from pos_specs.security.issuer_keys import IssuerKeys, Scheme
from pos_specs.security.mac import retail_mac
from pos_specs.security.quiet_libraries import quiet_pyemv
from pos_specs.tlv import parse_tlv

PAN = "6222021234567890128"
MASTER_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")

TAGS = {
    "9F02": "000000004000",
    "9F03": "000000000000",
    "9F1A": "0156",
    "95": "8000048000",
    "5F2A": "0156",
    "9A": "261122",
    "9C": "00",
    "9F37": "52BF4585",
    "82": "1800",
    "9F36": "001C",
}

ISSUER_DATA: dict[tuple[Scheme, int], str] = {
    ("visa", 10): "06010A03A06010",
    ("visa", 18): "06011203A0B800",
    ("visa", 22): "1F220103A0B800" + "00" * 25,
    ("mastercard", 16): "0110A50003020000" + "0000" + "00000000000000FF",
    ("mastercard", 17): "0111A50003020000" + "0000" + "00000012340001FF",
    ("mastercard", 20): "0114A50003020000" + "0000" + "00000000000000FF",
    ("mastercard", 21): "0115A50003020000" + "0000" + "00000012340001FF",
    ("unionpay", 1): "07010103A0B802010A010000000000A1B2C3D4",
    ("unionpay", 17): "07011103A0B80201",
}


def issuer(scheme: Scheme, key: bytes = MASTER_KEY) -> IssuerKeys:
    return IssuerKeys("test bank", scheme, key)


def signed_tags(version: tuple[Scheme, int], **changed: str) -> dict[str, str]:
    """The tags of a request with the cryptogram that the card computes."""
    tags = TAGS | {"9F10": ISSUER_DATA[version]} | changed
    cryptogram = make_cryptogram(VERSIONS[version], issuer(version[0]), ChipData(PAN, tags))
    return tags | {"9F26": cryptogram.hex().upper()}


def test_every_version_has_an_example_here() -> None:
    assert set(VERSIONS) == set(ISSUER_DATA)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_cards_cryptogram_is_verified_by_the_version_its_data_names(version: tuple[Scheme, int]) -> None:
    check = check_cryptogram(issuer(version[0]), ChipData(PAN, signed_tags(version)))

    assert ("verified", "", VERSIONS[version]) == check


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("tag", ["9F02", "9F37", "9F36", "9F26"])
def test_a_changed_element_is_wrong(version: tuple[Scheme, int], tag: str) -> None:
    tags = signed_tags(version)
    tags[tag] = f"{int(tags[tag], 16) ^ 0x10:0{len(tags[tag])}X}"

    check = check_cryptogram(issuer(version[0]), ChipData(PAN, tags))

    assert ("wrong", f"the cryptogram does not match by {VERSIONS[version].name}") == check[:2]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_changed_result_of_the_card_is_wrong(version: tuple[Scheme, int]) -> None:
    tags = signed_tags(version)
    tags["9F10"] = tags["9F10"][:9] + f"{int(tags['9F10'][9], 16) ^ 1:X}" + tags["9F10"][10:]

    assert "wrong" == check_cryptogram(issuer(version[0]), ChipData(PAN, tags)).result


@pytest.mark.parametrize("version", VERSIONS)
def test_another_issuers_key_another_card_and_another_sequence_are_wrong(version: tuple[Scheme, int]) -> None:
    tags = signed_tags(version)

    assert "wrong" == check_cryptogram(issuer(version[0], MASTER_KEY[::-1]), ChipData(PAN, tags)).result
    assert "wrong" == check_cryptogram(issuer(version[0]), ChipData(PAN[:-1] + "9", tags)).result
    assert "wrong" == check_cryptogram(issuer(version[0]), ChipData(PAN, tags, "01")).result


def test_the_sequence_number_in_the_chip_data_comes_before_the_elements() -> None:
    tags = signed_tags(("visa", 10), **{"5F34": "01"})

    assert "verified" == check_cryptogram(issuer("visa"), ChipData(PAN, tags, "07")).result


@pytest.mark.parametrize("number", [16, 17, 20, 21])
def test_mastercards_cryptograms_agree_with_pyemv(number: int) -> None:
    version = VERSIONS["mastercard", number]
    tags = signed_tags(("mastercard", number))
    card: Any = getattr(quiet_pyemv().cvn, f"MasterCardCVN{number}")(MASTER_KEY, MASTER_KEY, MASTER_KEY, PAN, "00")
    data = bytes.fromhex(tags["9F10"])
    signed = {f"tag_{tag.lower()}": bytes.fromhex(value) for tag, value in TAGS.items()}
    counters = {"counters": data[10:18]} if number in (17, 21) else {}
    counter = {"tag_9f36": bytes.fromhex(tags["9F36"])} if number in (20, 21) else {}
    arqc = bytes.fromhex(tags["9F26"])

    assert card.generate_ac(**signed, cvr=data[2:8], **counters) == arqc
    arpc = card.generate_arpc(tag_9f26=arqc, arpc_rc=b"00", **counter)
    assert (arpc + b"00").hex().upper() == issuer_authentication(version, issuer("mastercard"), ChipData(PAN, tags))


def test_unionpays_cryptogram_is_a_retail_mac_under_a_session_key_by_transaction_counter() -> None:
    """PBOC 3.0 as we know it, computed by other means: psec's MAC and pyemv's card key."""
    tags = signed_tags(("unionpay", 1))
    pyemv: Any = quiet_pyemv()
    card_key = pyemv.kd.derive_icc_mk_a(MASTER_KEY, PAN, "00")
    halves = [pyemv.tools.encrypt_tdes_ecb(card_key, bytes(6) + bytes.fromhex(half)) for half in ("001C", "FFE3")]
    data = "".join(TAGS.values()) + tags["9F10"][6:14]

    assert tags["9F26"] == retail_mac(b"".join(halves), bytes.fromhex(data), padding=2).hex().upper()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_answer_carries_what_the_card_recomputes_it_from(version: tuple[Scheme, int]) -> None:
    tags, keys = signed_tags(version), issuer(version[0])

    value = issuer_authentication(
        VERSIONS[version], keys, ChipData(PAN, tags), response_code="05", status_update="00010000"
    )

    if VERSIONS[version].answer_method == 1:
        assert (20, "3035") == (len(value), value[16:])
    else:
        assert (16, "00010000") == (len(value), value[8:])
    assert value != issuer_authentication(VERSIONS[version], keys, ChipData(PAN, tags))
    other_request = tags | {"9F26": "00" * 8}
    assert value != issuer_authentication(
        VERSIONS[version], keys, ChipData(PAN, other_request), response_code="05", status_update="00010000"
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"9F10": ""}, "tag 9F10 is missing"),
        ({"9F10": "0601"}, "tag 9F10 has 2 bytes, too few for a version"),
        ({"9F10": "06010A"}, "tag 9F10 has 3 bytes, visa-10 needs 7"),
        ({"9F10": "06011103A06010"}, "cryptogram version 17 of visa is not served"),
        ({"9F37": "52BF45"}, "tag 9F37 has 3 bytes, 4 expected"),
        ({"9F26": ""}, "tag 9F26 has 0 bytes, 8 expected"),
        ({"5F34": "0001"}, "tag 5F34 has 2 bytes, 1 expected"),
    ],
)
def test_what_cannot_be_checked_is_unsupported_with_the_reason(changes: dict[str, str], reason: str) -> None:
    check = check_cryptogram(issuer("visa"), ChipData(PAN, signed_tags(("visa", 10)) | changes))

    assert ("unsupported", reason) == check[:2]


@pytest.mark.parametrize("tag", [*TAGS, "9F26"])
def test_a_missing_tag_is_named(tag: str) -> None:
    tags = signed_tags(("visa", 10))
    del tags[tag]

    assert ("unsupported", f"tag {tag} is missing, visa-10 needs it") == check_cryptogram(
        issuer("visa"), ChipData(PAN, tags)
    )[:2]


@pytest.mark.parametrize(
    ("pan", "sequence", "reason"),
    [
        ("", "00", "the PAN has 0 characters, 12 to 19 digits expected"),
        ("622202******0128", "00", "the PAN has 16 characters, 12 to 19 digits expected"),
        (PAN, "001", "the sequence number of the card must have two digits"),
    ],
)
def test_a_card_without_its_numbers_is_unsupported(pan: str, sequence: str, reason: str) -> None:
    check = check_cryptogram(issuer("visa"), ChipData(pan, signed_tags(("visa", 18)), sequence))

    assert ("unsupported", reason) == check[:2]


@pytest.mark.parametrize(("response_code", "status_update"), [("0", "00820000"), ("００", "00820000"), ("00", "0082")])
def test_an_answer_is_not_made_of_something_else(response_code: str, status_update: str) -> None:
    chip = ChipData(PAN, signed_tags(("visa", 10)))

    with pytest.raises(SecurityError, match="a response code of 2 characters and a status update of 8"):
        issuer_authentication(
            VERSIONS["visa", 10], issuer("visa"), chip, response_code=response_code, status_update=status_update
        )


def test_a_card_without_all_its_data_makes_no_cryptogram() -> None:
    version: CryptogramVersion = VERSIONS["visa", 10]

    with pytest.raises(SecurityError, match="tag 9F02 is missing"):
        make_cryptogram(version, issuer("visa"), ChipData(PAN, {"9F10": ISSUER_DATA["visa", 10]}))
    with pytest.raises(SecurityError, match="tag 9F26 is missing"):
        issuer_authentication(version, issuer("visa"), ChipData(PAN, TAGS | {"9F10": ISSUER_DATA["visa", 10]}))


def test_an_answer_is_the_counter_the_authentication_and_the_scripts() -> None:
    script = IssuerScript("72", "00000001", ("8424000008AABBCCDD11223344", "8418000008AABBCCDD11223344"))

    data = build_icc_answer("1122334455667788" + "3030", "001C", (script,))

    pairs = parse_tlv(data)
    assert [("9F36", "001C"), ("91", "11223344556677883030")] == pairs[:2]
    assert "72" == pairs[2][0]
    assert [("9F18", "00000001"), ("86", script.commands[0]), ("86", script.commands[1])] == parse_tlv(
        bytes.fromhex(pairs[2][1])
    )


def test_an_answer_with_scripts_alone_has_no_empty_tags() -> None:
    data = build_icc_answer("", scripts=(IssuerScript("71", "", ("8418000000",)),))

    assert [("71", "86058418000000")] == parse_tlv(data)
