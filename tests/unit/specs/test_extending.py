"""A dialect on top of another takes everything of it and changes what it names."""

from pathlib import Path

import pytest

from pos_specs.dialect import Dialect
from pos_specs.errors import DialectError
from pos_specs.loader import load_dialect, read_dialect

HEAD = """
[dialect]
extends = "{base}"
name = "mybank"
title = "A bank of our own"
"""

HYPERCOM = load_dialect("hypercom")
UNIONPAY = load_dialect("unionpay")


def extended(folder: Path, text: str, base: str = "hypercom", file: str = "mybank.toml") -> Dialect:
    (folder / file).write_text(HEAD.format(base=base) + text, "utf-8")
    return read_dialect(folder / file)


def test_with_nothing_changed_all_is_as_in_the_base(tmp_path: Path) -> None:
    dialect = extended(tmp_path, "")

    assert ("mybank", "A bank of our own", "mybank.toml") == (dialect.name, dialect.title, dialect.source)
    assert ("hypercom",) == dialect.bases
    for key in (
        "edition",
        "framing",
        "wire",
        "elements",
        "layouts",
        "functions",
        "answer",
        "meaning",
        "codes",
        "batch",
    ):
        assert getattr(HYPERCOM, key) == getattr(dialect, key), key


def test_the_padding_nibble_changes_for_every_element(tmp_path: Path) -> None:
    dialect = extended(tmp_path, '[wire]\npad = "F"\n')

    assert {"F"} == {element.pad for element in dialect.elements.values()}
    assert HYPERCOM.wire.text == dialect.wire.text


def test_an_element_changes_in_the_keys_that_are_given(tmp_path: Path) -> None:
    dialect = extended(tmp_path, '[elements]\n24 = { pad = "right" }\n62 = { format = "ans...20" }\n')

    assert ("right", "n3", "nii") == (
        dialect.elements[24].pad_side,
        dialect.elements[24].format,
        dialect.elements[24].name,
    )
    assert ("ans...20", "secret") == (dialect.elements[62].format, dialect.elements[62].sensitive)
    assert HYPERCOM.elements[2] == dialect.elements[2]


def test_an_element_is_taken_away_with_all_that_speaks_of_it(tmp_path: Path) -> None:
    dialect = extended(tmp_path, "[elements]\n22 = false\n24 = false\n")

    assert {22, 24}.isdisjoint(dialect.elements)
    assert {22, 24}.isdisjoint(dialect.layouts)
    for rule in dialect.functions:
        assert {22, 24}.isdisjoint({*rule.required, *rule.reply_elements}), rule.name
    assert [] == [path for path in dialect.values if path.startswith("22")]


def test_an_element_is_added(tmp_path: Path) -> None:
    dialect = extended(tmp_path, '[elements]\n5 = { name = "five", format = "n..20" }\n', base="unionpay")

    assert {5} == dialect.elements.keys() - UNIONPAY.elements.keys()
    assert sorted(dialect.elements) == list(dialect.elements)


def test_layouts_of_an_element_are_replaced_together(tmp_path: Path) -> None:
    text = '[[layouts]]\nelement = 60\nname = "ours"\nparts = ["batch_number n6", "original_mti n4", '
    text += '"original_stan n6", "original_rrn an12", "original_amount n12"]\n'

    dialect = extended(tmp_path, text)

    assert ["ours"] == [layout.name for layout in dialect.layouts[60]]
    assert HYPERCOM.layouts[63] == dialect.layouts[63]


def test_layouts_of_an_element_are_taken_away(tmp_path: Path) -> None:
    dialect = extended(tmp_path, "[[layouts]]\nelement = 54\nremove = true\n")

    assert set(HYPERCOM.layouts) - {54} == set(dialect.layouts)


def test_a_function_changes_in_the_keys_that_are_given(tmp_path: Path) -> None:
    dialect = extended(tmp_path, '[[functions]]\nname = "purchase"\necho = [3, 4, 11, 24, 41, 42]\n')

    (ours,) = [rule for rule in dialect.functions if rule.name == "purchase"]
    (theirs,) = [rule for rule in HYPERCOM.functions if rule.name == "purchase"]
    assert ((3, 4, 11, 24, 41, 42), theirs.add) == (ours.echo, ours.add)
    assert (theirs.mtis, theirs.condition, theirs.required) == (ours.mtis, ours.condition, ours.required)
    assert [rule.name for rule in HYPERCOM.functions] == [rule.name for rule in dialect.functions]


def test_every_entry_of_a_function_changes(tmp_path: Path) -> None:
    dialect = extended(tmp_path, '[[functions]]\nname = "echo"\nrequired = [11]\n')

    assert [(11,), (11,)] == [rule.required for rule in dialect.functions if rule.name == "echo"]


def test_a_function_with_message_types_takes_the_place_of_all_entries_of_its_name(tmp_path: Path) -> None:
    dialect = extended(tmp_path, '[[functions]]\nname = "echo"\nmti = ["0800"]\nwhen = { "3" = ["999999"] }\n')

    names = [rule.name for rule in dialect.functions]
    assert (1, 1) == (names.count("echo"), names.index("echo"))


def test_a_new_function_is_asked_before_those_of_the_base(tmp_path: Path) -> None:
    text = '[[functions]]\nname = "unsupported"\nmti = ["0200"]\nwhen = { "3" = ["0000xx"], "25" = ["01"] }\n'

    dialect = extended(tmp_path, text)

    assert "unsupported" == dialect.functions[0].name
    assert HYPERCOM.functions == dialect.functions[1:]


def test_a_function_is_taken_away(tmp_path: Path) -> None:
    dialect = extended(tmp_path, '[[functions]]\nname = "refund"\nremove = true\n')

    assert "refund" not in {rule.name for rule in dialect.functions}
    assert len(HYPERCOM.functions) - 1 == len(dialect.functions)


def test_single_keys_of_the_other_sections_change(tmp_path: Path) -> None:
    dialect = extended(
        tmp_path,
        "[framing]\nmax_frame_bytes = 1000\n"
        '[totals]\ngroups = ["sales", "refunds"]\n'
        "[batch]\nlast = 9999\n"
        "[identity]\nelements = [12, 13]\n"
        '[outcomes]\nunknown_terminal = "97"\nwrong_batch = false\n'
        '[codes]\n"97" = { en = "Who are you" }\n'
        "[answer]\n38 = false\n13 = false\n"
        '[meaning]\ninvoice = false\nrrn = "38"\n'
        + "".join(
            f'[[functions]]\nname = "{name}"\nadd = [39]\nanswer = {{}}\n'
            for name in {r.name for r in HYPERCOM.functions}
        ),
    )

    assert (1000, HYPERCOM.framing.tpdu) == (dialect.framing.max_frame_bytes, dialect.framing.tpdu)
    assert ("hypercom63", ("sales", "refunds")) == (dialect.totals_kind, dialect.totals_groups)
    assert (1, 9999) == (dialect.batch.first, dialect.batch.last)
    assert (12, 13) == dialect.identity
    assert ("97", None, "00") == tuple(dialect.outcomes.get(n) for n in ("unknown_terminal", "wrong_batch", "approved"))
    assert "Who are you" == dialect.codes["97"].en
    assert {13, 38} == HYPERCOM.answer.keys() - dialect.answer.keys()
    assert ("38", None) == (dialect.meaning["rrn"], dialect.meaning.get("invoice"))


def test_own_words_for_a_value_come_before_those_of_the_base(tmp_path: Path) -> None:
    dialect = extended(tmp_path, '[values.3]\n"0000xx" = "a sale, here"\n')

    assert "a sale, here" == dialect.value_text("3", "000012")
    assert "refund" == dialect.value_text("3", "200000")


def test_a_dialect_extends_one_that_extends_another(tmp_path: Path) -> None:
    extended(tmp_path, '[wire]\npad = "F"\n', file="first.toml")
    head = '[dialect]\nextends = "./first.toml"\nname = "second"\ntitle = "Two steps up"\n'
    (tmp_path / "second.toml").write_text(head + '[elements]\n24 = { pad = "right" }\n')

    dialect = load_dialect(str(tmp_path / "second.toml"))

    assert ("mybank", "hypercom") == dialect.bases
    assert ("F", "right") == (dialect.elements[24].pad, dialect.elements[24].pad_side)


def refused(folder: Path, text: str, base: str = "hypercom") -> DialectError:
    with pytest.raises(DialectError) as caught:
        extended(folder, text, base)
    return caught.value


def test_name_and_title_are_not_inherited(tmp_path: Path) -> None:
    (tmp_path / "mybank.toml").write_text('[dialect]\nextends = "hypercom"\nname = "mybank"\n')

    with pytest.raises(DialectError, match=r"mybank\.toml:1: dialect\.title: is missing"):
        read_dialect(tmp_path / "mybank.toml")


@pytest.mark.parametrize(
    ("base", "reason"),
    [
        ("hypercon", "'hypercon': no such dialect; shipped are base24-pos"),
        ("", "must be the name of a dialect"),
        ("./mybank.toml", "goes round in a circle: mybank.toml extends mybank.toml"),
    ],
)
def test_a_base_that_cannot_be_is_refused(tmp_path: Path, base: str, reason: str) -> None:
    error = refused(tmp_path, "", base)

    assert ("mybank.toml", 3, "dialect.extends") == (error.file, error.line, error.key)
    assert error.reason.startswith(reason)


def test_a_circle_of_two_files_is_refused(tmp_path: Path) -> None:
    for name, base in (("a", "b"), ("b", "a")):
        (tmp_path / f"{name}.toml").write_text(f'[dialect]\nextends = "{base}.toml"\nname = "{name}"\ntitle = "t"\n')

    with pytest.raises(DialectError, match=r"goes round in a circle: a\.toml extends b\.toml extends a\.toml"):
        read_dialect(tmp_path / "a.toml")


def test_a_base_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "nowhere.toml" in str(refused(tmp_path, "", "./nowhere.toml"))


MISTAKES = [
    # the text, the line of it that is named (after the five of the head), the key, a piece of the reason
    ('[wire]\npad = "E"\n', 2, "wire.pad", "must be one of 0, F"),
    ('[elements]\n\n24 = { pad = "up" }\n', 3, "elements.24.pad", "must be one of left, right"),
    (
        '[elements]\n24 = false\n[[functions]]\nname = "echo"\necho = [24]\n',
        5,
        "functions[1].echo",
        "24 is not defined",
    ),
    ("[elements]\n5000 = false\n", 2, "elements.5000", "takes away what the base does not have"),
    ('[outcomes]\napproved = "ZZ"\n', 2, "outcomes.approved", "is not in [codes]"),
    (
        '[[functions]]\nname = "echo"\necho = [3]\n\n[[functions]]\nname = "purchase"\nadd = [99]\n',
        7,
        "functions[2].add",
        "",
    ),
    ('[[functions]]\nname = "unsupported"\n', 1, "functions[1].mti", "is missing"),
    ('[[functions]]\nname = "unsupported"\nremove = true\n', 3, "functions[1].remove", "does not have"),
    ("[[layouts]]\nelement = 5\nremove = true\n", 3, "layouts[1].remove", "does not have"),
    ("functions = 5\n", 5, "dialect.functions", "is not a key"),
    ("[functions]\nname = 5\n", 1, "functions", "must be a list of tables"),
    ("[identiy]\nelements = []\n", 1, "identiy", "is not a key"),
]


@pytest.mark.parametrize(("text", "line", "key", "reason"), MISTAKES, ids=lambda value: str(value)[:40])
def test_a_mistake_is_named_in_the_file_it_stands_in(
    tmp_path: Path, text: str, line: int, key: str, reason: str
) -> None:
    error = refused(tmp_path, text)

    assert ("mybank.toml", key) == (error.file, error.key)
    assert line + HEAD.count("\n") - (0 if text.startswith("[") else 4) == error.line
    assert reason in error.reason


def test_a_mistake_of_the_base_is_named_in_the_base(tmp_path: Path) -> None:
    extended(tmp_path, '[elements]\n5 = { name = "five", format = "n..19" }\n', file="base.toml")
    (tmp_path / "base.toml").write_text((tmp_path / "base.toml").read_text().replace("n..19", "n..190"))

    error = refused(tmp_path, '[wire]\npad = "F"\n', "./base.toml")

    assert ("base.toml", 7, "elements.5.format") == (error.file, error.line, error.key)


def test_what_a_change_breaks_in_the_base_is_named_where_it_stands(tmp_path: Path) -> None:
    error = refused(tmp_path, '[[layouts]]\nelement = 60\nname = "ours"\nparts = ["batch_number n6"]\n')

    assert ("hypercom.toml", "meaning.original_mti") == (error.file, error.key)
