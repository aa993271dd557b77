"""Every mistake in a dialect file is refused, and the error names file and key."""

import re
from pathlib import Path

import pytest

from pos_specs.errors import DialectError
from pos_specs.loader import load_dialect, read_dialect, shipped_dialects

GOOD = """
[dialect]
name = "mybank"
title = "A bank of our own"
edition = "1987"
currency = "156"

[framing]
length = "binary2"
tpdu = "swap"
header = "none"
max_frame_bytes = 2048

[wire]
mti = "bcd"
bitmap = "binary"
length = "bcd"
digits = "bcd"
text = "gbk"

[elements]
2 = { name = "pan", format = "n..19", sensitive = "pan" }
3 = { name = "processing_code", format = "n6" }
11 = { name = "stan", format = "n6" }
39 = { name = "response_code", format = "an2" }
41 = { name = "terminal_id", format = "ans8" }
60 = { name = "batch_info", format = "n...19" }
62 = { name = "private_62", format = "b...999", sensitive = "secret" }
63 = { name = "private_63", format = "ans...163" }

[[layouts]]
element = 60
name = "batch_info"
parts = ["message_type n2", "batch_number n6"]

[[layouts]]
element = 62
name = "parameters"
when = { mti = ["0810"], length = [9] }
kind = "tags"
as = "text"
sensitive = "none"
[layouts.tags]
"12" = "timeout_seconds n2"

[[layouts]]
element = 63
name = "tables"
kind = "tables"
[layouts.tags]
"22" = "response_text"
"KP" = "pin_key b*"

[[functions]]
name = "purchase"
mti = ["0200"]
when = { "3" = ["00xxxx"], "60.message_type" = ["22"] }
required = [3, 11, 41]
one_of = [[2, 62]]
echo = [3, 11, 41]
add = [39]

[answer]
39 = "response_code"

[meaning]
batch_number = "60.batch_number"

[values."60.message_type"]
"22" = "purchase"

[host]
acquirer_id = "1"

[totals]
kind = "unionpay48"

[batch]
number = "sign_in"
first = 1
last = 999998
during_upload = "refuse"

[security]
mac = "pos-ecb"
mac_element = 62
mac_mtis = ["02xx"]
mac_functions = ["purchase"]

[identity]
elements = []

[outcomes]
approved = "00"
format_error = "30"
unsupported_function = "40"
internal_error = "96"

[codes]
"00" = { en = "Approved" }
"30" = { en = "Format error" }
"40" = { en = "Not supported" }
"96" = { en = "System error" }
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "mybank.toml"
    file.write_text(text, "utf-8")
    return file


def test_a_file_of_ones_own_is_read_like_a_shipped_one(tmp_path: Path) -> None:
    dialect = load_dialect(str(write(tmp_path, GOOD)))

    assert ("mybank", "mybank.toml") == (dialect.name, dialect.source)
    assert [2, 3, 11, 39, 41, 60, 62, 63] == list(dialect.elements)


@pytest.mark.parametrize("name", shipped_dialects())
def test_every_shipped_dialect_loads(name: str) -> None:
    assert name == load_dialect(name).name


MISTAKES = [
    # what is replaced, by what, the key named, a piece of the reason
    ('edition = "1987"', 'edition = "1988"', "dialect.edition", "must be one of 1987, 1993, 2003"),
    ('currency = "156"', 'currency = "CNY"', "dialect.currency", "three digits"),
    ('title = "A bank of our own"', "", "dialect.title", "is missing"),
    ('title = "A bank of our own"', "title = 5", "dialect.title", "must be a text"),
    ('title = "A bank of our own"', 'titel = "x"\ntitle = "x"', "dialect.titel", "is not a key"),
    ('length = "binary2"', 'length = "binary5"', "framing.length", "must be one of binary2, binary2-le, binary3"),
    ('length = "binary2"', 'length = "none"', "framing.trailer", "nothing else ends a frame"),
    ('tpdu = "swap"', 'tpdu = "swap"\ncounts = "stx"', "framing.counts", "has 'stx', must be of itself, trailer"),
    ('tpdu = "swap"', 'tpdu = "swap"\ncounts = "trailer"', "framing.counts", "but trailer is none"),
    ('tpdu = "swap"', 'tpdu = "swap"\nstart = "soh"', "framing.start", "must be one of none, stx"),
    ('tpdu = "swap"', 'tpdu = "swap"\ntrailer = "eot"', "framing.trailer", "must be one of none, etx, etx-lrc"),
    ('tpdu = "swap"', 'tpdu = "reverse"', "framing.tpdu", "must be one of swap, echo, none"),
    ('header = "none"', 'header = "visa"', "framing.header", "must be none, unionpay, base24, hex:… or text:…"),
    ('header = "none"', 'header = "hex:010"', "framing.header", "'010' is not pairs of hex digits"),
    ('header = "none"', 'header = "hex:"', "framing.header", "from 1 to 64 bytes"),
    ('header = "none"', 'header = "text:A|BC"', "framing.header", "patterns of one length"),
    ('header = "none"', 'header = "text:报"', "framing.header", "is not printable ASCII"),
    ('header = "none"', 'header = "hex:0100"\nheader_answer = "hex:01"', "framing.header_answer", "of 2 bytes"),
    ('header = "none"', 'header = "none"\nheader_answer = "hex:01"', "framing.header_answer", "of 0 bytes"),
    ('header = "none"', 'header = "text:#"\nheader_answer = "text:#"', "framing.header_answer", "without #"),
    ("max_frame_bytes = 2048", "max_frame_bytes = 70000", "framing.max_frame_bytes", "from 32 to 65535"),
    ("max_frame_bytes = 2048", "max_frame_bytes = true", "framing.max_frame_bytes", "whole number"),
    ('text = "gbk"', 'text = "utf-8"', "wire.text", "one byte per character"),
    ('text = "gbk"', 'text = "klingon"', "wire.text", "one byte per character"),
    ('text = "gbk"', 'text = "gbk"\nsize = 3', "wire.size", "is not a key"),
    ("2 = {", "1 = {", "elements.1", "from 2 to 128"),
    ("2 = {", "129 = {", "elements.129", "from 2 to 128"),
    ("2 = {", "65 = {", "elements.65", "third bitmap"),
    ("2 = {", "pan = {", "elements.pan", "from 2 to 128"),
    ('format = "n..19"', 'format = "n.19"', "elements.2.format", "longer than 9"),
    ('format = "n..19"', 'format = "n.......19"', "elements.2.format", "is not a format like"),
    ('format = "n..19"', 'format = "n..19", counter = "hex"', "elements.2.counter", "must be one of bcd, ascii"),
    ('format = "n..19"', 'format = "n..256", counter = "binary"', "elements.2.format", "longer than 255"),
    ('format = "n..19"', 'format = "xn7", digits = "bcd"', "elements.2.format", "must be an even number"),
    ('format = "n..19"', 'format = "h16", digits = "bcd"', "elements.2.digits", "write b"),
    ('format = "n..19"', 'format = "n..19", digits = "hex"', "elements.2.digits", "must be one of bcd"),
    ('format = "n..19"', 'format = "n..100"', "elements.2.format", "longer than 99"),
    ('format = "an2"', 'format = "an1000"', "elements.39.format", "longer than 999"),
    ('format = "an2"', 'format = "xn..5"', "elements.39.format", "fixed length"),
    ('name = "stan"', 'name = "Trace No"', "elements.11.name", "is not a name like"),
    ('name = "stan"', 'name = "pan"', "elements.11.name", "another element"),
    ('sensitive = "pan"', 'sensitive = "very"', "elements.2.sensitive", "must be one of"),
    ('sensitive = "pan"', 'pad_nibble = "E"', "elements.2.pad_nibble", "must be one of 0, F"),
    ("element = 60\n", "element = 61\n", "layouts[1].element", "61 is not defined"),
    ("element = 60\n", 'element = "60"\n', "layouts[1].element", "whole number"),
    ('["message_type n2", "batch_number n6"]', "[]", "layouts[1].parts", "is missing"),
    ('"batch_number n6"', '"batch_number"', "layouts[1].parts", "is not a part like"),
    ('"message_type n2"', '"message_type n*"', "layouts[1].parts", "only the last part"),
    ('"batch_number n6"', '"message_type n6"', "layouts[1].parts", "names a part twice"),
    (', "batch_number n6"]', ']\nrepeat = ["batch_number n*"]', "layouts[1].repeat", "may take the rest"),
    ('name = "batch_info"\nparts', 'name = "batch_info"\nas = "text"\nparts', "layouts[1].as", "only binary"),
    ('name = "batch_info"\nparts', 'name = "batch_info"\nkind = "tlv"\nparts', "layouts[1].kind", "binary element"),
    ('name = "batch_info"\nparts', 'name = "batch_info"\nkind = "tags"\nparts', "layouts[1].tags", "is missing"),
    ("length = [9]", 'length = ["9"]', "layouts[2].when.length", "list of numbers"),
    ('mti = ["0810"]', '"61" = ["1"]', "layouts[2].when.61", "neither mti nor a defined element"),
    ('mti = ["0810"]', '"60.code" = ["1"]', "layouts[2].when.60.code", "no part of a layout"),
    ('kind = "tags"\nas = "text"', 'kind = "bitmap"', "layouts[2].as", "must be text"),
    ('"12" = "timeout_seconds n2"', '"1" = "x n2"', "layouts[2].tags.1", "is not a tag of a layout of kind tags"),
    ('sensitive = "none"', 'sensitive = "no"', "layouts[2].sensitive", "must be one of"),
    ('"12" = "timeout_seconds n2"', '"12" = "timeout_seconds"', "layouts[2].tags.12", "is not a part like"),
    ('"12" = "timeout_seconds n2"', '"12" = "timeout_seconds n*"', "layouts[2].tags", "needs a length"),
    ('"12" = "timeout_seconds n2"', '"123" = "timeout n2"', "layouts[2].tags.123", "is not a tag"),
    ('"22" = "response_text"', '"22" = "Response Text"', "layouts[3].tags.22", "is not a part like"),
    ('name = "purchase"', 'name = "buy"', "functions[1].name", "must be one of sign_in"),
    ('mti = ["0200"]', 'mti = ["0210"]', "functions[1].mti", "is not a request's message type"),
    ('mti = ["0200"]', "mti = []", "functions[1].mti", "is missing"),
    ('mac_functions = ["purchase"]', 'mac_functions = ["refund"]', "security.mac_functions", "none of the dialect's"),
    ('mac_functions = ["purchase"]', "mac_functions = [1]", "security.mac_functions", "list of texts"),
    ("mac_element = 62", "mac_element = 64", "security.mac_element", "64 is not defined"),
    ('"60.message_type" = ["22"]', '"60.type" = ["22"]', "functions[1].when.60.type", "no part of a layout"),
    ('"3" = ["00xxxx"]', '"3" = []', "functions[1].when.3", "is missing"),
    ("required = [3, 11, 41]", "required = [3, 12]", "functions[1].required", "12 is not defined"),
    ("required = [3, 11, 41]", "required = [[3]]", "functions[1].required", "list of element numbers"),
    ("one_of = [[2, 62]]", "one_of = [2, 62]", "functions[1].one_of", "list of lists"),
    ("add = [39]", "add = [39, 60]", "functions[1].add", "60 is not in [answer]"),
    ("add = [39]", 'add = [39]\noutcomes = { approved = "01" }', "functions[1].outcomes.approved", "not in [codes]"),
    ("add = [39]", 'add = [39]\noutcomes = { good = "00" }', "functions[1].outcomes.good", "must be one of already"),
    ("add = [39]", 'add = [39]\nadvice = "yes"', "functions[1].advice", "true or false"),
    ('39 = "response_code"\n\n[meaning]', '39 = "code"\n\n[meaning]', "answer.39", "must be one of"),
    ('39 = "response_code"\n\n[meaning]', '38 = "rrn"\n\n[meaning]', "answer.38", "is not a defined element"),
    ('batch_number = "60.batch_number"', 'batch = "60"', "meaning.batch", "must be one of"),
    ('batch_number = "60.batch_number"', 'batch_number = "61"', "meaning.batch_number", "no defined element"),
    ('batch_number = "60.batch_number"', 'batch_number = "60.x"', "meaning.batch_number", "names no part"),
    ('[values."60.message_type"]', '[values."60.x"]', "values.60.x", "names no part"),
    ('"22" = "purchase"', '"22" = 22', "values.60.message_type.22", "must be a text"),
    ('acquirer_id = "1"', "", "host.acquirer_id", "is missing"),
    ('kind = "unionpay48"', 'kind = "hypercom63"', "totals.groups", "is missing"),
    ("last = 999998", "last = 1", "batch.last", "greater than first"),
    ("last = 999998", 'last = "9"', "batch.last", "whole number"),
    ("elements = []", "elements = [7]", "identity.elements", "7 is not defined"),
    ("elements = []", "element = []", "identity.element", "is not a key"),
    ('approved = "00"', 'aproved = "00"', "outcomes.aproved", "must be one of already"),
    ('approved = "00"', 'approved = "01"', "outcomes.approved", "'01' is not in [codes]"),
    ('approved = "00"', "", "outcomes.approved", "is missing"),
    ('{ en = "Approved" }', '{ zh = "好" }', "codes.00.en", "is missing"),
    ('{ en = "Approved" }', '"Approved"', "codes.00", "must be a table"),
    ("[identity]", "[identiy]", "identiy", "is not a key"),
]


@pytest.mark.parametrize(("old", "new", "key", "reason"), MISTAKES, ids=lambda text: str(text)[:40])
def test_a_mistake_names_file_and_key(tmp_path: Path, old: str, new: str, key: str, reason: str) -> None:
    assert 1 == GOOD.count(old) or old in ("2 = {", '"22" = "purchase"', 'length = "binary2"'), old

    text = GOOD.replace(old, new, 1)

    with pytest.raises(DialectError) as caught:
        read_dialect(write(tmp_path, text))

    assert ("mybank.toml", key) == (caught.value.file, caught.value.key)
    assert reason in caught.value.reason
    line = caught.value.line
    assert line is not None
    assert line in lines_of(text, new, GOOD.index(old)) or text.splitlines()[line - 1].startswith("[")
    assert str(caught.value).startswith(f"mybank.toml:{line}: {key}: ")


def lines_of(text: str, piece: str, after: int) -> range:
    """The lines in which a piece of the text stands."""
    start = text.index(piece, after)
    first = text.count("\n", 0, start) + 1
    return range(first, first + piece.count("\n") + 1)


@pytest.mark.parametrize("section", ["elements", "functions"])
def test_a_section_that_is_missing_is_named(tmp_path: Path, section: str) -> None:
    text = re.sub(rf"(?ms)^\[+{section}\]+$.*?(?=^\[)", "", GOOD)
    text = re.sub(r"(?ms)^\[\[layouts\]\].*?(?=^\[\[functions|^\[answer)", "", text)

    with pytest.raises(DialectError) as caught:
        read_dialect(write(tmp_path, text))

    assert section == caught.value.key


@pytest.mark.parametrize(
    ("framing", "most"),
    [
        ('length = "ascii4"', 9999),
        ('length = "bcd2"', 9999),
        ('length = "bcd2"\ncounts = "itself"', 9997),
        ('length = "binary2"\ncounts = ["itself", "trailer"]\ntrailer = "etx-lrc"', 65531),
    ],
)
def test_no_frame_may_be_longer_than_its_length_can_say(framing: str, most: int, tmp_path: Path) -> None:
    def limit(number: int) -> str:
        return GOOD.replace('length = "binary2"', framing).replace("= 2048", f"= {number}")

    assert most == read_dialect(write(tmp_path, limit(most))).framing.max_frame_bytes
    with pytest.raises(DialectError, match=rf"framing\.max_frame_bytes: must be at most {most}, since length is"):
        read_dialect(write(tmp_path, limit(most + 1)))


def test_a_framing_without_length_counts_nothing(tmp_path: Path) -> None:
    text = GOOD.replace('length = "binary2"', 'length = "none"\ntrailer = "etx"\ncounts = "trailer"')

    with pytest.raises(DialectError, match=r"framing\.counts: says what a length counts, but length is none"):
        read_dialect(write(tmp_path, text))


def test_a_file_that_is_no_toml_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DialectError, match=r"mybank\.toml: not TOML: .*line 2"):
        read_dialect(write(tmp_path, "[dialect]\nname = \n"))


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(DialectError, match=r"nowhere\.toml: no such file$"):
        load_dialect(str(tmp_path / "nowhere.toml"))
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(DialectError, match=r"cannot be read: Is a directory$"):
        load_dialect(str(tmp_path / "folder.toml"))
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(DialectError, match=r"bytes\.toml: is not text in UTF-8$"):
        load_dialect(str(tmp_path / "bytes.toml"))


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(DialectError, match=r"shipped are base24-pos, hypercom, .*, unionpay; a file"):
        load_dialect("unionpai")


def test_no_part_stands_before_tags_by_which_card_data_are_hidden(tmp_path: Path) -> None:
    layout = 'kind = "tlv"\nsensitive = "icc"\nparts = ["state b1"]\n'
    text = GOOD.replace("[[functions]]", f'[[layouts]]\nelement = 62\nname = "list"\n{layout}\n[[functions]]', 1)

    with pytest.raises(DialectError, match=r"layouts\[4\].parts: none may stand before the tags"):
        read_dialect(write(tmp_path, text))
