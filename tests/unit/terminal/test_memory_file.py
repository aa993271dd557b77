"""The memory on disk."""

import json
import stat
from pathlib import Path

import pytest
from tests.unit.terminal.scripted_host import MERCHANT, ScriptedHost, a_terminal, carry_out, with_codes

from pos_terminal.cards import TEST_CARDS
from pos_terminal.commands import Purchase, Settle, Void
from pos_terminal.memory import Memory, MemoryDamaged, memory_from, memory_table
from pos_terminal.memory_file import MemoryFile, MemoryInUse


def a_full_memory() -> Memory:
    """Sold, voided, and in the middle of an upload, with something unfinished before it."""
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    for _ in range(2):
        carry_out(terminal, host, Purchase(TEST_CARDS["unionpay"], 1000, "156"))
    carry_out(terminal, host, Void("000001"))
    host.will("purchase", None)
    carry_out(terminal, host, Purchase(TEST_CARDS["visa"], 1000, "156"))
    unfinished = terminal.memory.unfinished
    host.will("settlement", {48: with_codes("0" * 62, "2", "2")})
    host.will("batch_upload", None)
    carry_out(terminal, host, Settle())
    terminal.memory.unfinished = unfinished
    return terminal.memory


def test_what_was_saved_is_loaded_again(tmp_path: Path) -> None:
    memory, file = a_full_memory(), MemoryFile(tmp_path / "deep" / "memory.json")

    with file:
        file.save(memory)
        assert memory == file.load("unionpay", "T0000001", MERCHANT)


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    file = MemoryFile(tmp_path / "memory.json")

    file.save(a_full_memory())
    file.save(a_full_memory())

    assert 0o600 == stat.S_IMODE(file.path.stat().st_mode)
    assert [file.path] == list(tmp_path.iterdir())


def test_a_new_terminal_has_an_empty_memory(tmp_path: Path) -> None:
    memory = MemoryFile(tmp_path / "none.json").load("hypercom", "T0000001", MERCHANT)

    assert Memory("hypercom", "T0000001", MERCHANT) == memory


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"format":1}', '{"format":2}', '{"format":1,"log":[{}],"unfinished":null}', "\xff\xfe"],
)
def test_a_damaged_file_is_refused_and_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "memory.json"
    path.write_text(text, "latin-1")

    with pytest.raises(MemoryDamaged, match=r"memory\.json"):
        MemoryFile(path).load("unionpay", "T0000001", MERCHANT)


def test_the_memory_of_another_terminal_is_refused(tmp_path: Path) -> None:
    file = MemoryFile(tmp_path / "memory.json")
    file.save(Memory("hypercom", "T0000002", MERCHANT))

    with pytest.raises(MemoryDamaged, match="hypercom terminal T0000002"):
        file.load("unionpay", "T0000001", MERCHANT)


def test_two_processes_do_not_share_a_memory(tmp_path: Path) -> None:
    with MemoryFile(tmp_path / "memory.json"), pytest.raises(MemoryInUse), MemoryFile(tmp_path / "memory.json"):
        pass


def test_a_save_that_fails_leaves_the_old_memory(tmp_path: Path) -> None:
    file = MemoryFile(tmp_path / "memory.json")
    memory = Memory("unionpay", "T0000001", MERCHANT, stan=7)
    file.save(memory)
    memory.dialect = object()  # type: ignore[assignment]

    with pytest.raises(TypeError):
        file.save(memory)

    assert 7 == file.load("unionpay", "T0000001", MERCHANT).stan


def test_no_track_is_ever_kept() -> None:
    text = json.dumps(memory_table(a_full_memory()))

    assert "D3012201" not in text
    assert "=3012201" not in text


def test_a_memory_survives_json() -> None:
    memory = a_full_memory()

    assert memory == memory_from(json.loads(json.dumps(memory_table(memory))))
