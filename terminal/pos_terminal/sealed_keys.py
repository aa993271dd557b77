"""Working keys as a memory file holds them: sealed, under a key that lies beside it."""

from __future__ import annotations

import os
from pathlib import Path

from pos_specs.security.errors import SecurityError
from pos_specs.security.keys import WorkingKeys, pack_working_keys, unpack_working_keys
from pos_specs.security.sealing import NONCE_BYTES, SEALING_KEY_BYTES, seal, unseal

MODE = 0o600


def seal_keys(key_file: Path, keys: WorkingKeys, identity: str) -> str:
    """The keys sealed for `identity`, as hex; the sealing key is made where there is none. Raises OSError."""
    sealing_key = _read(key_file) or _make(key_file)
    return seal(sealing_key, pack_working_keys(keys), os.urandom(NONCE_BYTES), identity).hex()


def open_keys(key_file: Path, sealed: str, identity: str) -> WorkingKeys | None:
    """What `seal_keys` sealed; None when the key file is gone or another's, or the text was changed."""
    sealing_key = _read(key_file)
    if sealing_key is None:
        return None
    try:
        return unpack_working_keys(unseal(sealing_key, bytes.fromhex(sealed), identity))
    except (SecurityError, ValueError):
        return None


def _read(key_file: Path) -> bytes | None:
    try:
        key = key_file.read_bytes()
    except FileNotFoundError:
        return None
    return key if len(key) == SEALING_KEY_BYTES else None


def _make(key_file: Path) -> bytes:
    key = os.urandom(SEALING_KEY_BYTES)
    fresh = key_file.with_name(f"{key_file.name}.new")
    handle = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, MODE)
    try:
        os.fchmod(handle, MODE)
        os.write(handle, key)
        os.fsync(handle)
    finally:
        os.close(handle)
    os.replace(fresh, key_file)
    return key
