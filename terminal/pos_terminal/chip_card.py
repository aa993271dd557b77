"""The chip of a test card: DE55 with its cryptogram, and what it says to the host's answer.

The keys are the test keys of the card's issuer (`pos_specs/data/test_keys.toml`); a card whose issuer has none
there cannot be read by its chip. What a real card counts and draws is made of the message here: the transaction
counter is the STAN, so that no card needs a memory. The certificate that the card gives in the end is over the same
data as its request, since nothing of a second round is simulated.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from pos_specs.security.cryptogram_version import VERSIONS, CryptogramVersion
from pos_specs.security.emv import ChipData, issuer_authentication, make_cryptogram
from pos_specs.security.errors import SecurityError
from pos_specs.security.issuer_keys import IssuerKeys, Scheme
from pos_specs.security.key_file import KeyRing, load_key_file
from pos_specs.tlv import TlvError, build_tlv, parse_tlv
from pos_terminal.applications.application import CARD_SEQUENCE
from pos_terminal.cards import Card, CardError

COUNTRY = "0156"
"""9F1A: the terminal stands in China, like the currency of the shipped dialects. Our choice."""

CERTIFICATE = "40"
"""9F27 of an approved transaction: a transaction certificate (unionpay.md 4.2, step f)."""

APPROVED_OFFLINE = "5931"
"""8A of an offline purchase: Y1 (unionpay.md 4.2, step b)."""

SCRIPT_DONE = "2"
"""First digit of a script's result: performed. From general knowledge of EMV Book 4 A5: no source at hand."""

_ISSUER_DATA: dict[Scheme, str] = {
    "visa": "06010A03A00000",
    "mastercard": "0110A50003020000000000000000000000FF",
    "unionpay": "07010103A00000010A010000000000A1B2C3D4",
}
"""9F10 by scheme, an online cryptogram asked for."""

_VERSIONS: dict[Scheme, int] = {"visa": 10, "mastercard": 16, "unionpay": 1}
"""The cryptogram version that this issuer data names."""

_APPLICATIONS: dict[Scheme, str] = {
    "visa": "A0000000031010",
    "mastercard": "A0000000041010",
    "unionpay": "A000000333010101",
}
"""84 by scheme: the public application identifiers of Visa, MasterCard and UnionPay debit."""

_REVERSAL_TAGS = ("95", "9F1E", "9F10", "9F36", "DF31")
"""What DE55 of a reversal keeps (unionpay.md 3, reversal)."""

_SCRIPT_TAGS = ("9F33", "95", "9F37", "9F1E", "9F10", "9F26", "9F36", "82", "DF31", "9F1A", "9A")
"""DE55 of a script notice (unionpay.md 5.6)."""


class Reading(NamedTuple):
    """What the terminal tells the card: the amount, the currency (ISO 4217 number), the first two digits of DE3,
    the STAN, the date YYMMDD and four random bytes."""

    amount_minor: int
    currency: str
    transaction_type: str
    stan: str
    date: str
    unpredictable: bytes


class CardAnswer(NamedTuple):
    """What the card says to the host's answer. `scripts` is DF31, "" where none came."""

    accepted: bool
    scripts: str


def read_chip(card: Card, reading: Reading) -> str:
    """DE55 of a request as upper-case hex, in the order terminals send it (unionpay.md 5.6).

    Raises CardError for a card whose issuer has no test key.
    """
    keys, version, issuer_data = _application(card.pan)
    tags = {
        "9F27": "80",
        "9F10": issuer_data,
        "9F37": reading.unpredictable.hex().upper(),
        "9F36": f"{int(reading.stan) % 0x10000:04X}",
        "95": "0000000000",
        "9A": reading.date,
        "9C": reading.transaction_type,
        "9F02": f"{reading.amount_minor:012d}",
        "5F2A": f"{reading.currency:0>4}",
        "82": "7C00",
        "9F1A": COUNTRY,
        "9F03": "0" * 12,
        "9F33": "E0F8C8",
        "9F34": "420300",
        "9F35": "22",
        "9F1E": "3030303030303031",
        "84": _APPLICATIONS[keys.scheme],
        "9F09": "0020",
        "9F41": f"{int(reading.stan):08d}",
    }
    cryptogram = make_cryptogram(version, keys, ChipData(card.pan, tags, CARD_SEQUENCE[-2:])).hex().upper()
    return _hex({"9F26": cryptogram, **tags})


def hear_answer(pan: str, sent: str, answer: str, code: str) -> CardAnswer:
    """The card's verdict on DE55 of the answer; `sent` is that of the request, `code` DE39.

    Without issuer authentication data there is nothing to refuse.
    """
    try:
        came = parse_tlv(bytes.fromhex(answer))
    except (TlvError, ValueError):
        return CardAnswer(accepted=False, scripts="")
    values = dict(came)
    scripts = "".join(_script_result(value) for tag, value in came if tag in ("71", "72"))
    authentic = "91" not in values or _is_authentic(pan, sent, values["91"], code)
    return CardAnswer(authentic, scripts if authentic else "")


def for_reversal(icc: str) -> str:
    """What DE55 of a reversal keeps of the request's."""
    return _only(icc, _REVERSAL_TAGS)


def for_script_notice(icc: str, scripts: str) -> str:
    """DE55 of the notice that scripts were performed."""
    return _only(_hex({**_tags(icc), "DF31": scripts}), _SCRIPT_TAGS)


def for_upload(icc: str) -> str:
    """DE55 of an uploaded record: the certificate instead of the request."""
    return _hex({**_tags(icc), "9F27": CERTIFICATE})


def offline(icc: str) -> str:
    """DE55 of an offline purchase: approved by the card, without the host."""
    return _hex({**_tags(icc), "9F27": CERTIFICATE, "8A": APPROVED_OFFLINE})


def _application(pan: str) -> tuple[IssuerKeys, CryptogramVersion, str]:
    keys = _test_keys().issuer_key(pan)
    if keys is None:
        known = ", ".join(_VERSIONS)
        raise CardError(f"--entry chip: the issuer of this card has no test key, take one of {known}")
    return keys, VERSIONS[keys.scheme, _VERSIONS[keys.scheme]], _ISSUER_DATA[keys.scheme]


def _is_authentic(pan: str, sent: str, authentication: str, code: str) -> bool:
    """Method 1 in all three versions: the ARPC, and the response code that it is over (EMV Book 2 8.2)."""
    keys, version, _ = _application(pan)
    chip = ChipData(pan, _tags(sent), CARD_SEQUENCE[-2:])
    try:
        return authentication == issuer_authentication(version, keys, chip, response_code=code)
    except SecurityError:
        return False


def _script_result(template: str) -> str:
    """Performed, and the script's identifier (9F18), zeros where it has none."""
    try:
        identifier = dict(parse_tlv(bytes.fromhex(template))).get("9F18", "")
    except TlvError:
        identifier = ""
    return f"{SCRIPT_DONE}0{identifier:0>8}"


def _tags(icc: str) -> dict[str, str]:
    return dict(parse_tlv(bytes.fromhex(icc)))


def _only(icc: str, wanted: tuple[str, ...]) -> str:
    tags = _tags(icc)
    return _hex({tag: tags[tag] for tag in wanted if tag in tags})


def _hex(tags: dict[str, str]) -> str:
    return build_tlv(list(tags.items())).hex().upper()


@lru_cache(maxsize=1)
def _test_keys() -> KeyRing:
    return load_key_file()
