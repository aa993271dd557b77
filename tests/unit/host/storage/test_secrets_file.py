"""The key of card prints and the admin token, beside the store."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pos_host.secrets_file import read_or_make


def test_a_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    store = tmp_path / "store.db"

    first = read_or_make(store, "card-key")

    assert len(first) >= 24
    assert first == read_or_make(store, "card-key")
    assert first != read_or_make(store, "admin-token")


@pytest.mark.parametrize("kind", ["card-key", "admin-token"])
def test_only_its_owner_may_read_it(tmp_path: Path, kind: str) -> None:
    read_or_make(tmp_path / "store.db", kind)

    assert 0o600 == stat.S_IMODE((tmp_path / f"store.db.{kind}").stat().st_mode)


def test_without_a_store_it_lives_in_memory_only(tmp_path: Path) -> None:
    assert read_or_make(None, "card-key") != read_or_make(None, "card-key")


def test_a_secret_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "store.db.card-key").mkdir()

    with pytest.raises(OSError, match="card-key"):
        read_or_make(tmp_path / "store.db", "card-key")


def test_a_power_cut_while_it_was_made_leaves_no_empty_secret(tmp_path: Path) -> None:
    (tmp_path / "store.db.card-key").touch(0o600)

    assert len(read_or_make(tmp_path / "store.db", "card-key")) >= 24
