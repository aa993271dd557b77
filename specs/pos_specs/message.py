"""One ISO 8583 message as values: its type and its elements, no bytes and no meaning."""

from __future__ import annotations


class Message:
    """A decoded message.

    `mti` four digits; `fields` element number → value as text (digits, text, or upper-case hex of
    binary elements), without the bitmaps; `pads` the pad nibble the sender used where it is not the
    dialect's own, so that encoding gives the sender's bytes again; `shape` the numbers of its elements,
    where the reader knew them beforehand, so that what depends on them alone is worked out once.
    """

    __slots__ = ("fields", "mti", "pads", "shape")

    def __init__(
        self,
        mti: str,
        fields: dict[int, str],
        pads: dict[int, str] | None = None,
        shape: frozenset[int] | None = None,
    ) -> None:
        self.mti = mti
        self.fields = fields
        self.pads = pads
        self.shape = shape

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return (self.mti, self.fields, self.pads or None) == (other.mti, other.fields, other.pads or None)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """The shape only: values may be card data and a repr ends in logs."""
        return f"Message({self.mti}, elements={sorted(self.fields)})"


def is_request(mti: str) -> bool:
    """True when the third digit says request or advice (even), as ISO 8583 numbers the message function."""
    return len(mti) == 4 and mti.isdigit() and mti.isascii() and mti[2] in "02468"


def reply_mti(mti: str) -> str:
    """The MTI of the answer: function + 1; a repeat (odd origin) is answered like its original.

    Source: hypercom.md 2.6 (response = request + 10), ISO 8583:1987 for the repeat's last digit.
    """
    return f"{mti[:2]}{int(mti[2]) + 1}{int(mti[3]) & ~1}"


def request_mti(mti: str) -> str:
    """The MTI of the request that an answer belongs to: function − 1."""
    return f"{mti[:2]}{int(mti[2]) - 1}{mti[3]}"
