"""The memory on disk."""

import json
import stat
from pathlib import Path

import pytest
from tests.unit.terminal.scripted_host import MERCHANT, ScriptedHost, a_terminal, carry_out, with_codes

from pos_specs.security.keys import WorkingKeys
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


KEYS = WorkingKeys(bytes(range(16)), bytes(range(8)), bytes(range(16, 32)))


def test_keys_are_sealed_under_a_key_of_their_own(tmp_path: Path) -> None:
    memory, file = a_full_memory(), MemoryFile(tmp_path / "memory.json")
    memory.keys = KEYS

    file.save(memory)

    text = file.path.read_text()
    assert [] == [key.hex() for key in (KEYS.pin, KEYS.mac, KEYS.track) if key.hex() in text.lower()]
    key_file = tmp_path / "memory.json.key"
    assert (0o600, 32) == (stat.S_IMODE(key_file.stat().st_mode), key_file.stat().st_size)
    assert memory == MemoryFile(file.path).load("unionpay", "T0000001", MERCHANT)


def test_the_same_keys_are_sealed_once_and_new_ones_again(tmp_path: Path) -> None:
    memory, file = a_full_memory(), MemoryFile(tmp_path / "memory.json")
    memory.keys = KEYS
    sealed = []
    for keys in (KEYS, KEYS, WorkingKeys(KEYS.pin, KEYS.mac)):
        memory.keys = keys
        file.save(memory)
        sealed.append(json.loads(file.path.read_text())["sealed_keys"])

    assert sealed[0] == sealed[1] != sealed[2]


@pytest.mark.parametrize("harm", ["no key file", "another key", "a short key", "a changed seal"])
def test_keys_that_do_not_open_are_forgotten_and_the_terminal_signs_in_again(harm: str, tmp_path: Path) -> None:
    memory, file = a_full_memory(), MemoryFile(tmp_path / "memory.json")
    memory.keys = KEYS
    file.save(memory)
    key_file = tmp_path / "memory.json.key"
    if harm == "no key file":
        key_file.unlink()
    elif harm == "a changed seal":
        table = json.loads(file.path.read_text())
        file.path.write_text(json.dumps({**table, "sealed_keys": "01" + table["sealed_keys"][2:-2] + "zz"}))
    else:
        key_file.write_bytes(bytes(32 if harm == "another key" else 8))

    loaded = MemoryFile(file.path).load("unionpay", "T0000001", MERCHANT)

    assert (None, True) == (loaded.keys, loaded.must_sign_in)
    assert memory.log == loaded.log


def test_a_memory_of_an_older_program_is_still_read() -> None:
    table = memory_table(a_full_memory())
    for name in ("authorisations", "advices", "notices"):
        del table[name]
    for entry in table["log"]:
        for name in ("variety", "condition_code", "message_type", "tip_minor", "adjusted", "completed", "icc"):
            del entry[name]

    assert ([], [], []) == ((read := memory_from(table)).authorisations, read.advices, read.notices)


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
