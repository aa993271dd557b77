"""`pos-host dialects import-jpos`: a packager's field file becomes a dialect; what cannot is listed."""

import tomllib
from importlib import resources
from pathlib import Path

import pytest
from tests.unit.host.decoding.commands import run

from pos_specs.dialect import DataElement
from pos_specs.language import Language
from pos_specs.loader import load_dialect, read_dialect
from pos_specs.message import Message

SAMPLE = Path(__file__).parent / "packagers" / "mybank.xml"
CLASSES = tomllib.loads((resources.files("pos_host.decoding") / "jpos_fields.toml").read_text("utf-8"))

OF_CLASS = {
    "n": "IFA_NUMERIC",
    "an": "IF_CHAR",
    "ans": "IF_CHAR",
    "z": "IFA_NUMERIC",
    "h": "IFA_BINARY",
    "xn": "IFA_AMOUNT",
}
"""The class of each fixed element of iso87-ascii; with a counter it is of LL or LLL."""


def imported(folder: Path, text: str | bytes, name: str = "given.xml") -> Language:
    """The dialect that the command makes of a file, written where `dialects check` finds it good."""
    file, made = folder / name, folder / "made.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    result = run("dialects", "import-jpos", str(file))
    assert (0, "") == (result.exit_code, result.stderr)
    made.write_text(result.stdout, "utf-8")
    assert 0 == run("dialects", "check", str(made)).exit_code
    return Language(read_dialect(made))


def packager(fields: str, mti: str = "IFA_NUMERIC", bitmap: str = "IFA_BITMAP") -> str:
    return f"""<isopackager>
<isofield id="0" length="4" name="mti" class="org.jpos.iso.{mti}"/>
<isofield id="1" length="16" name="bitmap" class="org.jpos.iso.{bitmap}"/>
{fields}
</isopackager>"""


def field(number: int, length: int, class_name: str, name: str = "A field") -> str:
    return f'<isofield id="{number}" length="{length}" name="{name}" class="org.jpos.iso.{class_name}"/>'


@pytest.fixture
def sample(tmp_path: Path) -> Language:
    file = tmp_path / "made.toml"
    file.write_text(run("dialects", "import-jpos", str(SAMPLE)).stdout, "utf-8")
    return Language(read_dialect(file))


def test_the_sample_becomes_a_dialect_that_check_finds_good(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(run("dialects", "import-jpos", str(SAMPLE)).stdout, "utf-8")

    result = run("dialects", "check", str(file))

    assert result.stdout.startswith("mine.toml: mybank, 24 elements, 3 functions, ")


def test_what_is_not_carried_over_is_listed_with_its_line() -> None:
    assert [
        "line 38: field 60.2: IFA_LLCHAR is not carried over, nor is what follows it in this field",
        "line 41: field 61: IFA_TTLLCHAR of length 20 is not carried over",
        "line 44: field 65: a third bitmap is not supported",
        "line 51: field 127.4: IFB_NUMERIC is not carried over",
    ] == [line.removeprefix("pos-host dialects: mybank.xml: ") for line in listed(SAMPLE)]


def listed(file: Path) -> list[str]:
    return run("dialects", "import-jpos", str(file)).stderr.splitlines()


def test_elements_are_written_as_the_packager_writes_them(sample: Language) -> None:
    fields = {
        2: "622202000000000",
        4: "000000001234",
        11: "000007",
        22: "051",
        23: "001",
        28: "D00000150",
        41: "T0000001",
        48: "hello",
        49: "156",
        62: "AB12",
    }

    data = sample.encode(Message("0200", fields))

    expected = (
        "0200 5020061000818004 15 6222020000000000 000000001234 000007 0051 0010 44 00000150"
        "5430303030303031 3035 68656C6C6F 313536 F0F4 C1C2F1F2"
    )
    assert expected.replace(" ", "") == data.hex().upper()
    assert fields == sample.decode(data).fields


def test_fields_within_fields_become_parts(sample: Language) -> None:
    within = bytes.fromhex("6000000000000000") + b"05key-1" + b"r" * 48
    message = Message("0200", {43: f"{'A shop':<25}{'A town':<13}CN", 60: "000123 and more", 127: within.hex().upper()})

    assert {"shop": f"{'A shop':<25}", "town": f"{'A town':<13}", "country": "CN"} == sample.parts.of(message, 43)
    assert {"batch_number": "000123", "unparsed": " and more"} == sample.parts.of(message, 60)
    assert {"switch_key": "key-1", "routing": "r" * 48} == sample.parts.of(message, 127)


def test_cards_and_pins_are_hidden_as_in_the_standard(sample: Language) -> None:
    sensitive = {number: element.sensitive for number, element in sample.dialect.elements.items() if element.sensitive}

    assert ("pan", "track", "pin", "icc", "secret") == tuple(sensitive[number] for number in (2, 35, 52, 55, 127))


def test_the_functions_are_the_least_of_the_edition(sample: Language) -> None:
    names = [(rule.name, rule.mtis[0]) for rule in sample.dialect.functions]

    assert ("1987", [("echo", "0800"), ("purchase", "0200"), ("reversal", "0400")]) == (sample.dialect.edition, names)


def test_our_ascii_dialect_written_as_a_packager_comes_back_the_same(tmp_path: Path) -> None:
    iso87 = load_dialect("iso87-ascii")
    fields = "\n".join(field(n, length_of(e), class_of(e), e.title) for n, e in iso87.elements.items())

    made = imported(tmp_path, packager(fields), "iso87ascii.xml").dialect

    assert "iso87ascii" == made.name
    assert written(iso87.elements) == written(made.elements)


def length_of(element: DataElement) -> int:
    return element.max_length // 2 if element.content == "h" else element.max_length


def class_of(element: DataElement) -> str:
    if not element.length_digits:
        return OF_CLASS[element.content]
    return f"IFA_{'L' * element.length_digits}{'NUM' if element.content in 'nz' else 'CHAR'}"


def written(elements: object) -> dict[int, tuple[object, ...]]:
    """What of each element is seen on the wire."""
    assert isinstance(elements, dict)
    return {
        n: (e.name, e.max_length, e.length_digits, e.is_text, e.packed, e.counter, e.text, e.sensitive)
        for n, e in elements.items()
        if n != 55
    }


@pytest.mark.parametrize(
    "class_name", [name for name, facts in CLASSES.items() if facts["class"] not in ("bitmap", "nothing")]
)
def test_every_known_class_becomes_an_element_that_is_written_and_read(tmp_path: Path, class_name: str) -> None:
    facts = CLASSES[class_name]
    language = imported(tmp_path, packager(field(48, 9, class_name) + field(39, 2, "IF_CHAR")))
    element = language.dialect.elements[48]

    size = 9 if not element.length_digits else 4
    value = {"n": "1" * size, "xn": "C" + "1" * 8, "b": "AB" * size, "h": "AB" * 9}.get(element.content, "x" * size)
    data = language.codec.reference.encode(Message("0200", {39: "00", 48: value}))

    assert value == language.decode(data).fields[48]
    assert facts.get("digits_of_length", 0) == element.length_digits


@pytest.mark.parametrize("bitmap", ["IFA_BITMAP", "IFB_BITMAP", "IFE_BITMAP"])
@pytest.mark.parametrize("mti", ["IFA_NUMERIC", "IFB_NUMERIC", "IFE_NUMERIC"])
def test_message_type_and_bitmap_are_carried_over(tmp_path: Path, mti: str, bitmap: str) -> None:
    language = imported(tmp_path, packager(field(39, 2, "IF_CHAR"), mti, bitmap))

    assert (CLASSES[mti]["digits"], CLASSES[bitmap]["bitmap"]) == (
        language.dialect.wire.mti,
        language.dialect.wire.bitmap,
    )


@pytest.mark.parametrize(
    ("length", "edition", "mti"), [(6, "1987", "0200"), (12, "1993", "1200"), (14, "2003", "2200")]
)
def test_the_length_of_de12_tells_the_edition(tmp_path: Path, length: int, edition: str, mti: str) -> None:
    fields = "".join(
        field(n, size, "IFA_NUMERIC", f"field {n}") for n, size in ((3, 6), (4, 12), (12, length), (39, 4))
    )

    dialect = imported(tmp_path, packager(fields)).dialect

    assert edition == dialect.edition
    assert mti in {rule.mtis[0] for rule in dialect.functions}


LAUGHS = """<!DOCTYPE isopackager [
<!ENTITY a "ha">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
]>
<isopackager name="&b;"/>"""
SPY = '<!DOCTYPE isopackager [<!ENTITY file SYSTEM "file:///etc/passwd">]><isopackager name="&file;"/>'

REFUSED = [
    # the file, the reason
    (LAUGHS, "line 1: declares entities or elements of its own"),
    (SPY, "line 1: declares entities or elements of its own"),
    ("", "line 1: not XML: no element found"),
    ("<isopackager>\n<isofield>\n</isopackager>", "line 3: not XML: mismatched tag"),
    ("<html/>", "line 1: <html> is not known here"),
    ("<isopackager>\n<script/></isopackager>", "line 2: <script> is not known here"),
    ("<isopackager>\n<isopackager/></isopackager>", "line 2: <isopackager> is not known here"),
    ("<isopackager/>", "line 1: field 0, the message type, is missing"),
    (packager("", mti="IF_CHAR"), "line 1: field 0, the message type, is missing or not numeric"),
    (packager("", bitmap="IF_CHAR"), "line 1: field 1, the bitmap, is missing"),
    (packager(""), "has no data element that can be carried over"),
    (packager(field(2, 19, "IFA_LLNUM") + field(2, 19, "IFA_LLNUM")), "line 4: field 2 is here twice"),
    (packager('<isofield id="x" length="1" class="IF_CHAR"/>'), "line 4: id is 'x', must be a whole number"),
    (packager('<isofield id="2" class="IF_CHAR"/>'), "line 4: length is '', must be a whole number"),
    (packager(f'<isofield id="2" length="{"9" * 5000}" class="IF_CHAR"/>'), "line 4: length is '99999999"),
    (" " * 1_000_001, "has more than 1000000 bytes"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED, ids=[reason[:40] for _, reason in REFUSED])
def test_what_is_no_packager_is_refused_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "given.xml"
    file.write_text(text, "utf-8")

    result = run("dialects", "import-jpos", str(file))

    assert (2, "") == (result.exit_code, result.stdout)
    assert result.stderr.startswith(f"pos-host dialects: given.xml: {reason}")
    assert 1 == len(result.stderr.splitlines())


def test_a_file_that_is_not_there_is_refused_in_one_line(tmp_path: Path) -> None:
    result = run("dialects", "import-jpos", str(tmp_path / "nowhere.xml"))

    assert (2, 1) == (result.exit_code, len(result.stderr.splitlines()))
    assert "nowhere.xml: no such file" in result.stderr


def test_a_name_that_would_break_out_of_its_comment_does_not(tmp_path: Path) -> None:
    sly = field(39, 2, "IF_CHAR", "Response&#10;evil = 1 &quot;&quot;&quot;") + field(5, 2, "IF_CHAR", "&#x202E;1")

    language = imported(tmp_path, packager(sly))

    assert [5, 39] == list(language.dialect.elements)


NOTED = [
    (field(2, 0, "IF_CHAR"), "field 2: IF_CHAR of length 0 is not carried over"),
    (field(129, 5, "IF_CHAR"), "field 129: IF_CHAR of length 5 is not carried over"),
    (field(5, 5, "IF_MYSTERY"), "field 5: IF_MYSTERY of length 5 is not carried over"),
    (field(5, 5000, "IF_CHAR"), "field 5: a fixed length of 5000 is not carried over: 999 is the most"),
    (field(5, 120, "IFA_LLCHAR"), "field 5: length 120 is more than its counter can say; 99 is taken"),
    (field(5, 300, "IFB_LLHCHAR"), "field 5: length 300 is more than its counter can say; 255 is taken"),
    (field(28, 8, "IFB_AMOUNT"), "field 28: an odd number of packed digits after a sign is not carried over"),
]


@pytest.mark.parametrize(("given", "note"), NOTED, ids=[note[:40] for _, note in NOTED])
def test_a_field_that_does_not_fit_is_noted_and_the_rest_carried_over(tmp_path: Path, given: str, note: str) -> None:
    file = tmp_path / "given.xml"
    file.write_text(packager(field(39, 2, "IF_CHAR") + given), "utf-8")

    result = run("dialects", "import-jpos", "--name", "mine", str(file))

    assert (0, f"pos-host dialects: given.xml: line 4: {note}\n") == (result.exit_code, result.stderr)
    assert 'name = "mine"' in result.stdout
