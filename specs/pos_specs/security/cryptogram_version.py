"""What a card's cryptogram is computed over and how, by scheme and by the version number in its 9F10.

| version | card key | session key | over | padding | answer |
|---|---|---|---|---|---|
| Visa 10 | option A | none | ten elements, CVR | zeros | method 1 |
| Visa 18, 22 | option B | by ATC | ten elements, 9F10 | 80 and zeros | method 2 |
| MasterCard 16, 17 | option A | by ATC and 9F37 | ten elements, CVR (17: counters) | 80 and zeros | method 1 |
| MasterCard 20, 21 | option A | by ATC | ten elements, CVR (21: counters) | 80 and zeros | method 1 |
| UnionPay 01 | option A | PBOC by ATC | ten elements, CVR | 80 and zeros | method 1 |
| UnionPay 17 | option A | PBOC by ATC | 9F02, 9F37, 9F36, second byte of CVR | 80 and zeros | method 1 |

Visa and MasterCard are as pyemv has them. UnionPay is our choice from general knowledge of PBOC 3.0 (JR/T 0025): no
source and no vector was at hand, so its two rows are proved against themselves only.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from pos_specs.security.issuer_keys import Scheme

SessionKey = Literal["none", "common", "mastercard", "pboc"]

_TEN_ELEMENTS = ("9F02", "9F03", "9F1A", "95", "5F2A", "9A", "9C", "9F37", "82", "9F36")
"""EMV Book 2 8.1.1: the data that every version but the short ones signs, in this order."""


class Spans(NamedTuple):
    """Slices of the issuer application data that are signed: (start, end) in bytes."""

    spans: tuple[tuple[int, int], ...]

    def cut(self, data: bytes) -> bytes:
        """The signed bytes of 9F10."""
        return b"".join(data[start:end] for start, end in self.spans)


_WHOLE = Spans(((0, 32),))
"""9F10 has at most 32 bytes (EMV Book 3 annex A)."""

_VISA_CVR = Spans(((3, 7),))
_MASTERCARD_CVR = Spans(((2, 8),))
_MASTERCARD_COUNTERS = Spans(((2, 8), (10, 18)))
"""CVR and the eight bytes of counters behind the two of the DAC or dynamic number, as M/Chip 4 has them, in clear."""


class CryptogramVersion(NamedTuple):
    """How one version computes cryptogram and answer; see the table above."""

    name: str
    card_key: Literal["a", "b"]
    session_key: SessionKey
    elements: tuple[str, ...]
    issuer_data: Spans
    padding: Literal["zeros", "bit"]
    answer_method: Literal[1, 2]
    answer_key: SessionKey
    shortest_issuer_data: int


VERSIONS: dict[tuple[Scheme, int], CryptogramVersion] = {
    ("visa", 10): CryptogramVersion("visa-10", "a", "none", _TEN_ELEMENTS, _VISA_CVR, "zeros", 1, "none", 7),
    ("visa", 18): CryptogramVersion("visa-18", "b", "common", _TEN_ELEMENTS, _WHOLE, "bit", 2, "common", 7),
    ("visa", 22): CryptogramVersion("visa-22", "b", "common", _TEN_ELEMENTS, _WHOLE, "bit", 2, "common", 7),
    ("mastercard", 16): CryptogramVersion(
        "mastercard-16", "a", "mastercard", _TEN_ELEMENTS, _MASTERCARD_CVR, "bit", 1, "none", 8
    ),
    ("mastercard", 17): CryptogramVersion(
        "mastercard-17", "a", "mastercard", _TEN_ELEMENTS, _MASTERCARD_COUNTERS, "bit", 1, "none", 18
    ),
    ("mastercard", 20): CryptogramVersion(
        "mastercard-20", "a", "common", _TEN_ELEMENTS, _MASTERCARD_CVR, "bit", 1, "common", 8
    ),
    ("mastercard", 21): CryptogramVersion(
        "mastercard-21", "a", "common", _TEN_ELEMENTS, _MASTERCARD_COUNTERS, "bit", 1, "common", 18
    ),
    ("unionpay", 1): CryptogramVersion("unionpay-01", "a", "pboc", _TEN_ELEMENTS, _VISA_CVR, "bit", 1, "pboc", 7),
    ("unionpay", 17): CryptogramVersion(
        "unionpay-17", "a", "pboc", ("9F02", "9F37", "9F36"), Spans(((4, 5),)), "bit", 1, "pboc", 7
    ),
}

_VISA_FORMAT_2 = 0x1F
"""First byte of Visa's issuer application data in format 2, whose second byte is the version, written as two digits
("22" is version 22). From general knowledge of the Visa specification: no source at hand."""


def version_number(scheme: Scheme, issuer_data: bytes) -> int | None:
    """The cryptogram version that 9F10 names, None when it is too short.

    MasterCard: key index, version, CVR. Visa and UnionPay: length, key index, version, CVR; Visa format 2: length,
    version, key index.
    """
    if len(issuer_data) < 3:
        return None
    if scheme == "mastercard":
        return issuer_data[1]
    if scheme == "visa" and issuer_data[0] == _VISA_FORMAT_2:
        return int(digits) if (digits := f"{issuer_data[1]:X}").isdigit() else issuer_data[1]
    return issuer_data[2]
