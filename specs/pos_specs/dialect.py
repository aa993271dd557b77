"""A dialect: everything that makes one acquirer's ISO 8583 differ from another's, as frozen data.

Loaded and checked once by `loader.py`; nothing here changes afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pos_specs.envelope import Framing
from pos_specs.message import Message
from pos_specs.text_codecs import is_ebcdic

ContentClass = Literal["n", "z", "a", "an", "ans", "b", "xn", "h"]
Sensitivity = Literal["", "pan", "track", "pin", "icc", "secret", "records"]
LayoutSensitivity = Literal["", "none", "pan", "track", "pin", "icc", "secret", "records"]
Counter = Literal["bcd", "ascii", "ebcdic", "binary"]
Getter = Callable[[Message], str | None]


@dataclass(frozen=True, slots=True)
class Wire:
    """The encodings every element of the dialect shares unless it says otherwise.

    `second_bitmap` is "announced" by bit 1 or "always" there, in which case bit 1 is written as 0.
    """

    mti: Literal["bcd", "ascii", "ebcdic"]
    bitmap: Literal["binary", "hex", "hex-ebcdic"]
    length: Counter
    digits: Literal["bcd", "ascii", "ebcdic"]
    text: str
    fixed_pad: Literal["left", "right"]
    variable_pad: Literal["left", "right"]
    pad: str
    second_bitmap: Literal["announced", "always"] = "announced"


@dataclass(frozen=True, slots=True)
class DataElement:
    """One data element: content class, length, padding, sensitivity.

    `max_length` counts digits for n and z, bytes for b, characters otherwise (xn includes its sign);
    `length_digits` is 0 for a fixed length, 2 for LL, 3 for LLL, up to 6, and `counter` says how they are
    written; `packed` means two digits to a byte. `text` is the encoding of whatever stands in characters.
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
    counter: Counter = "bcd"
    sensitive: Sensitivity = ""
    title_zh: str = ""

    @property
    def is_nibbles(self) -> bool:
        """True when the value is the hex of the bytes on the wire: bytes, and digits packed two to a byte."""
        return self.content == "b" or (self.packed and self.content != "xn")

    @property
    def is_signed_bcd(self) -> bool:
        """True for a sign character before packed digits: neither text nor nibbles alone."""
        return self.content == "xn" and self.packed

    @property
    def is_text(self) -> bool:
        """True for the classes that may hold any character."""
        return self.content in ("a", "an", "ans")

    @property
    def plain_encoding(self) -> str:
        """An encoding that reads this element as its own does, or not at all (GBK beyond ASCII)."""
        if self.is_text:
            return "ascii" if self.text == "gbk" else self.text
        return self.text if self.text == "latin-1" or is_ebcdic(self.text) else "ascii"

    @property
    def may_be_chinese(self) -> bool:
        """True for text in GBK that has room for more than an identifier: names and texts to show."""
        return self.is_text and self.text == "gbk" and (self.length_digits > 0 or self.max_length > 15)

    @property
    def wire_bytes(self) -> int:
        """Bytes on the wire of an element of fixed length."""
        if self.is_signed_bcd:
            return 1 + self.max_length // 2
        return (self.max_length + 1) // 2 if self.packed else self.max_length

    @property
    def counter_bytes(self) -> int:
        """Bytes of the counter: a digit each in characters, else two digits to a byte (LL 1, LLL 2, LLLLLL 3)."""
        if self.counter in ("ascii", "ebcdic"):
            return self.length_digits
        return (self.length_digits + 1) // 2

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
    """A named piece of an element; `length` in digits, or bytes of text and binary data; 0 = the rest.

    With `length_digits` it stands behind a counter of so many digits, and `length` is the most it may say.
    """

    name: str
    content: str
    length: int
    length_digits: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """How one element is cut into parts, when `condition` holds.

    `sensitive` overrides the element's where this layout applies; "none" shows what the element hides.
    """

    element: int
    name: str
    kind: Literal["fixed", "tlv", "tags", "tables", "bitmap"]
    condition: Condition
    parts: tuple[Part, ...] = ()
    repeat: tuple[Part, ...] = ()
    tags: Mapping[str, Part] = field(default_factory=dict)
    as_text: bool = False
    sensitive: LayoutSensitivity = ""


@dataclass(frozen=True, slots=True)
class FunctionRule:
    """Which messages mean one function, what they must carry, and what the answer carries.

    `answer` says what stands in an element of `add` where that is not what the dialect's `[answer]` says, `outcomes`
    has the codes that this function gives another number than the dialect's `[outcomes]` do.
    """

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
    outcomes: Mapping[str, str] = field(default_factory=dict, hash=False)
    answer: Mapping[int, str] = field(default_factory=dict, hash=False)

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
class Security:
    """How a dialect's messages are protected; the empty security protects nothing.

    `mac` is a name of `pos_specs.security.mac.ALGORITHMS`, its value stands in `mac_element` of the requests whose
    type fits `mac_mtis` (`02xx`) or whose function is one of `mac_functions`, and in their answers; `keys` says in
    which form a sign-in's answer brings the working keys; `pin_format` is the PIN block's, `unionpay` where DE53 says
    it.
    """

    mac: str = ""
    mac_element: int = 64
    mac_mtis: tuple[str, ...] = ()
    mac_functions: tuple[str, ...] = ()
    keys: Literal["none", "unionpay", "hypercom"] = "none"
    pin_format: str = "iso-0"

    def wants_mac(self, mti: str, function: str) -> bool:
        """True for a request that carries a MAC when MACs are in use, by its type or by what it asks for."""
        return function in self.mac_functions or any(matches(pattern, mti) for pattern in self.mac_mtis)


@dataclass(frozen=True, slots=True)
class Condition:
    """A conjunction over a message: each key's value must match one of its patterns (`x` = any character)."""

    tests: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def patterns(self, key: str) -> tuple[str, ...]:
        """The patterns for `key`, empty when the condition does not speak of it."""
        return next((patterns for name, patterns in self.tests if name == key), ())


@dataclass(frozen=True, slots=True)
class Dialect:
    """One dialect. `source` is the file it came from; `name` its name in listeners, commands and pages.

    `bases` names the dialects it extends, the nearest first.
    """

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
    bases: tuple[str, ...] = ()
    security: Security = Security()

    def code_for(self, outcome: str, rule: FunctionRule | None = None) -> str:
        """The response code of an outcome in the answers of `rule`; what the dialect lacks is a system error."""
        own = {} if rule is None else rule.outcomes
        return own.get(outcome) or self.outcomes.get(outcome) or self.outcomes["internal_error"]

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
