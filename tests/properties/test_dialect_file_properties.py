"""Whatever stands in a dialect file, it is a dialect or a mistake that is named: nothing else comes of it."""

import re
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.properties.messages import DIALECTS, EXAMPLES

from pos_specs.dialect import Dialect
from pos_specs.errors import DialectError
from pos_specs.loader import read_dialect

VALUES = ["5", "-1", "true", "false", '""', '"x"', "[]", "[[]]", "[1]", '["a"]', "{}", "[{}]", "{ a = 1 }", "1.5"]
ASSIGNMENT = re.compile(r"^([^#\s\[][^=\n]*) = .*$", re.MULTILINE)
HEADER = re.compile(r"^\[+([a-z0-9_.\"]+)\]+.*$", re.MULTILINE)
CHILD = '[dialect]\nextends = "./base.toml"\nname = "child"\ntitle = "t"\n[elements]\n22 = false\n[wire]\npad = "F"\n'

eagerly = settings(EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])


def text_of(name: str) -> str:
    return (resources.files("pos_specs") / "dialects" / f"{name}.toml").read_text("utf-8")


def spoilt(text: str, draw: st.DataObject) -> str:
    """The file with another value, without a line, with a line twice, or with a table that is none."""
    kind = draw.draw(st.sampled_from(["value", "value", "line", "twice", "table"]))
    value = draw.draw(st.sampled_from(VALUES))
    found = list((HEADER if kind == "table" else ASSIGNMENT).finditer(text))
    place = found[draw.draw(st.integers(0, len(found) - 1))]
    if kind == "table":
        top = place[1].partition(".")[0]
        return f"{top} = {value}\n" + re.sub(rf"(?ms)^\[+{top}[\].].*?(?=^\[(?!\[?{top}[\].])|\Z)", "", text)
    line = {"value": f"{place[1]} = {value}", "line": "", "twice": f"{place[0]}\n{place[0]}"}[kind]
    return text[: place.start()] + line + text[place.end() :]


def read(folder: Path, name: str) -> Dialect | DialectError:
    try:
        return read_dialect(folder / name)
    except DialectError as error:
        return error


@pytest.mark.slow
@pytest.mark.parametrize("name", DIALECTS)
@eagerly
@given(data=st.data())
def test_a_spoilt_file_is_a_dialect_or_a_named_mistake(name: str, tmp_path: Path, data: st.DataObject) -> None:
    (tmp_path / "spoilt.toml").write_text(spoilt(text_of(name), data), "utf-8")

    result = read(tmp_path, "spoilt.toml")

    if isinstance(result, DialectError):
        assert result.key or "not TOML" in result.reason
        assert str(result).startswith((f"{result.file}:", str(tmp_path)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["unionpay", "hypercom"])
@eagerly
@given(data=st.data())
def test_a_spoilt_base_is_a_dialect_or_a_named_mistake(name: str, tmp_path: Path, data: st.DataObject) -> None:
    (tmp_path / "base.toml").write_text(spoilt(text_of(name), data), "utf-8")
    (tmp_path / "child.toml").write_text(CHILD, "utf-8")

    result = read(tmp_path, "child.toml")

    assert isinstance(result, Dialect | DialectError)
