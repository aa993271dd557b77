"""A dialect: everything that makes one acquirer's ISO 8583 differ from another's, as frozen data.

Loaded and checked once by `loader.py`; nothing here changes afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pos_specs.message import Message

ContentClass = Literal["n", "z", "a", "an", "ans", "b", "xn", "h"]
Sensitivity = Literal["", "pan", "track", "pin", "icc", "secret", "records"]
LayoutSensitivity = Literal["", "none", "pan", "track", "pin", "icc", "secret", "records"]
Getter = Callable[[Message], str | None]


@dataclass(frozen=True, slots=True)
class Framing:
    """How a message stands in the byte stream.

    `length` binary2 | ascii4 counts the bytes that follow it; `tpdu` swap | none; `header` unionpay
    (six BCD bytes) | none; `max_frame_bytes` bounds what one peer can make the host buffer.
    """

    length: Literal["binary2", "ascii4"]
    tpdu: Literal["swap", "none"]
    header: Literal["unionpay", "none"]
    max_frame_bytes: int


@dataclass(frozen=True, slots=True)
class Wire:
    """The encodings every element of the dialect shares unless it says otherwise."""

    mti: Literal["bcd", "ascii"]
    bitmap: Literal["binary", "hex"]
    length: Literal["bcd", "ascii"]
    digits: Literal["bcd", "ascii"]
    text: str
    fixed_pad: Literal["left", "right"]
    variable_pad: Literal["left", "right"]
    pad: str


@dataclass(frozen=True, slots=True)
class DataElement:
    """One data element: content class, length, padding, sensitivity.

    `max_length` counts digits for n and z, bytes for b, characters otherwise (xn includes its sign);
    `length_digits` is 0 for a fixed length, 2 for LL, 3 for LLL; `packed` means two digits to a byte.
    """

    number: int
    name: str
    content: ContentClass
    max_length: int
    length_digits: int
    pad_side: Literal["left", "right"]
    pad: str
    text: str
    packed: bool = False
    sensitive: Sensitivity = ""
    title_zh: str = ""

    @property
    def is_nibbles(self) -> bool:
        """True when the value is the hex of the bytes on the wire: bytes, and digits packed two to a byte."""
        return self.content == "b" or self.packed

    @property
    def is_text(self) -> bool:
        """True for the classes that may hold any character."""
        return self.content in ("a", "an", "ans")

    @property
    def plain_encoding(self) -> str:
        """An encoding that reads this element as its own does, or not at all (GBK beyond ASCII)."""
        if self.is_text:
            return "ascii" if self.text == "gbk" else self.text
        return "latin-1" if self.text == "latin-1" else "ascii"

    @property
    def may_be_chinese(self) -> bool:
        """True for text in GBK that has room for more than an identifier: names and texts to show."""
        return self.is_text and self.text == "gbk" and (self.length_digits > 0 or self.max_length > 15)

    @property
    def wire_bytes(self) -> int:
        """Bytes on the wire of an element of fixed length."""
        return (self.max_length + 1) // 2 if self.packed else self.max_length

    @property
    def title(self) -> str:
        """The name for people: `local_date` → `local date`."""
        return self.name.replace("_", " ")

    @property
    def format(self) -> str:
        """The field's usual notation: `n6`, `an..25`, `b...255`."""
        length = self.max_length - 1 if self.content == "xn" else self.max_length
        return f"{self.content}{'.' * self.length_digits}{length}"


@dataclass(frozen=True, slots=True)
class Part:
    """A named piece of an element; `length` in digits, or bytes of text and binary data; 0 = the rest."""

    name: str
    content: str
    length: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How one element is cut into parts, when `condition` holds.

    `sensitive` overrides the element's where this layout applies; "none" shows what the element hides.
    """

    element: int
    name: str
    kind: Literal["fixed", "tlv", "tags", "tables"]
    condition: Condition
    parts: tuple[Part, ...] = ()
    repeat: tuple[Part, ...] = ()
    tags: Mapping[str, Part] = field(default_factory=dict)
    as_text: bool = False
    sensitive: LayoutSensitivity = ""


@dataclass(frozen=True, slots=True)
class FunctionRule:
    """Which messages mean one function, what they must carry, and what the answer carries."""

    name: str
    mtis: tuple[str, ...]
    condition: Condition
    required: tuple[int, ...]
    one_of: tuple[tuple[int, ...], ...]
    echo: tuple[int, ...]
    add: tuple[int, ...]
    anonymous: bool = False
    advice: bool = False
    code_only_on_error: bool = False

    @property
    def reply_elements(self) -> tuple[int, ...]:
        """Every element the answer may carry, in the order of the wire."""
        return tuple(sorted({*self.echo, *self.add}))


@dataclass(frozen=True, slots=True)
class ResponseCode:
    """A response code's texts."""

    code: str
    en: str
    zh: str = ""


@dataclass(frozen=True, slots=True)
class BatchRules:
    """Who numbers batches and what happens to new transactions during an upload."""

    number: Literal["sign_in", "settlement", "none"]
    first: int
    last: int
    during_upload: Literal["refuse", "next_batch"]

    def after(self, number: str) -> str:
        """The number that follows, six digits; wraps from `last` to `first`."""
        following = int(number) + 1
        return f"{following if following <= self.last else self.first:06d}"


@dataclass(frozen=True, slots=True)
class Condition:
    """A conjunction over a message: each key's value must match one of its patterns (`x` = any character)."""

    tests: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def patterns(self, key: str) -> tuple[str, ...]:
        """The patterns for `key`, empty when the condition does not speak of it."""
        return next((patterns for name, patterns in self.tests if name == key), ())


@dataclass(frozen=True, slots=True)
class Dialect:
    """One dialect. `source` is the file it came from; `name` its name in listeners, commands and pages."""

    name: str
    title: str
    edition: str
    currency: str
    source: str
    framing: Framing
    wire: Wire
    elements: Mapping[int, DataElement]
    layouts: Mapping[int, tuple[Layout, ...]]
    functions: tuple[FunctionRule, ...]
    answer: Mapping[int, str]
    meaning: Mapping[str, str]
    acquirer_id: str
    totals_kind: Literal["unionpay48", "hypercom63", "iso87"]
    totals_groups: tuple[str, ...]
    batch: BatchRules
    identity: tuple[int, ...]
    outcomes: Mapping[str, str]
    codes: Mapping[str, ResponseCode]
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def value_text(self, path: str, value: str) -> str | None:
        """What a value of `"22"` or `"60.network_code"` says in words, None where the dialect is silent."""
        texts = self.values.get(path, {})
        return next((text for pattern, text in texts.items() if matches(pattern, value)), None)

    def element_for(self, meaning: str) -> int | None:
        """The element an answer carries `meaning` in (`rrn` → 37), or None."""
        return next((number for number, name in self.answer.items() if name == meaning), None)


def matches(pattern: str, value: str) -> bool:
    """True when `value` fits `pattern`, in which `x` stands for any one character."""
    if "x" not in pattern:
        return pattern == value
    return re.fullmatch(re.escape(pattern).replace("x", "."), value) is not None
