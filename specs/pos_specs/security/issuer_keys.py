"""The keys of a card issuer, and the scheme whose rules they are used by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Scheme = Literal["visa", "mastercard", "unionpay"]


@dataclass(frozen=True, slots=True)
class IssuerKeys:
    """One issuer's master keys, 16 bytes each; the repr shows its name and scheme only.

    `cryptogram` is for ARQC and ARPC, `integrity` and `confidentiality` for issuer scripts (b"" when not given).
    """

    name: str
    scheme: Scheme
    cryptogram: bytes = field(repr=False)
    integrity: bytes = field(repr=False, default=b"")
    confidentiality: bytes = field(repr=False, default=b"")
