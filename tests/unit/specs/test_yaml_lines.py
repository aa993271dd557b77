"""Documents people write: values with the lines they stand on, and mistakes that say where."""

from __future__ import annotations

from pathlib import Path

import pytest

from pos_specs.yaml_lines import DocumentError, document_of, read_document

RULES = """\
# a comment first
rules:
  - id: no-funds
    when: {function: purchase,
           amount: "51.00"}
  - id: late
    fault:
      kind: delay
"""


def test_every_value_knows_its_line() -> None:
    document = read_document(RULES, "rules.yaml")
    assert {"function": "purchase", "amount": "51.00"} == document.value["rules"][0]["when"]
    assert 5 == document.line_of(("rules", 0, "when", "amount"))
    assert 8 == document.line_of(("rules", 1, "fault", "kind"))


def test_a_value_that_is_missing_has_the_line_of_what_is_around_it() -> None:
    assert 7 == read_document(RULES, "rules.yaml").line_of(("rules", 1, "fault", "seconds"))


def test_an_error_names_file_line_and_place_counted_from_one() -> None:
    error = read_document(RULES, "rules.yaml").error(("rules", 1, "fault", "kind"), "is unknown")
    assert "rules.yaml:8: rules[2].fault.kind: is unknown" == str(error)


def test_toml_is_read_by_the_end_of_the_name_with_the_same_places() -> None:
    document = read_document('[[rules]]\nid = "a"\n[[rules]]\nid = "b"\nwhen.nth = 3\n', "rules.toml")
    assert [{"id": "a"}, {"id": "b", "when": {"nth": 3}}] == document.value["rules"]
    assert 5 == document.line_of(("rules", 1, "when", "nth"))


def test_codes_times_and_dates_without_quotes_stay_text() -> None:
    text = "[00, 051, 22:00, yes, 2026-01-02, 0x1F, 51, -2, 1.50, true, ~, !!str 7]"
    expected = ["00", "051", "22:00", "yes", "2026-01-02", "0x1F", 51, -2, 1.5, True, None, "7"]
    assert expected == read_document(text).value


def test_numbers_as_keys_are_text() -> None:
    assert {"60": "a"} == read_document("60: a").value


def test_an_empty_document_is_none_and_has_a_first_line() -> None:
    document = read_document("# nothing\n", "a.yaml")
    assert (None, 1) == (document.value, document.line_of(()))


def test_a_document_of_values_has_errors_without_a_line() -> None:
    assert "rule: when.nth: is wrong" == str(document_of({}, "rule").error(("when", "nth"), "is wrong"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: [1, 2\n", "f.yaml:3: is not YAML: while parsing a flow sequence, expected ',' or ']'"),
        ("a: 1\na: 2\n", "f.yaml:2: a: stands here twice"),
        ("a: 1\nb: {<<: 3}\n", "f.yaml:2: b: a key must be plain text"),
        ("a:\n  ? [1]\n  : 2\n", "f.yaml:2: a: a key must be plain text"),
        ("a: !!python/object:os.system x\n", "f.yaml:1: a: has a tag that is not read here"),
        ("a: &x [*x]\n", "f.yaml:1: is nested deeper than 50 values"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2: is not YAML: expected a single document in the stream"),
        ("a: \x00\n", "f.yaml: is not YAML: it holds a character that text cannot have"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text: str, expected: str) -> None:
    with pytest.raises(DocumentError) as refused:
        read_document(text, "f.yaml")
    assert expected in str(refused.value)


def test_aliases_of_aliases_are_refused_before_they_fill_the_memory() -> None:
    text = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(8)
    )
    with pytest.raises(DocumentError, match="more than 200000 values"):
        read_document(text)


def test_brackets_by_the_thousand_are_refused() -> None:
    with pytest.raises(DocumentError, match="is nested too deep"):
        read_document("[" * 1500)


def test_toml_that_cannot_be_read_names_its_line() -> None:
    with pytest.raises(DocumentError) as refused:
        read_document("a = 1\nb = \n", "f.toml")
    assert "f.toml:2: is not TOML: Invalid value" == str(refused.value)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"none\.yaml: no such file"):
        read_document(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DocumentError, match=r"binary\.yaml: is not text in UTF-8"):
        read_document(tmp_path / "binary.yaml")
