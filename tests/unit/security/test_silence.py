"""What security must not do: show a secret, warn a user, or cost time at start."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import pos_specs.security
from pos_specs.security import dukpt_aes, dukpt_tdes, emv, hypercom_keys, mac, pin_block, sealing, track_cipher
from pos_specs.security.errors import SecurityError
from pos_specs.security.issuer_keys import IssuerKeys
from pos_specs.security.key_file import BaseKey, load_key_file, parse_key_file
from pos_specs.security.keys import WorkingKeys, unpack_working_keys, verify_check_value
from pos_specs.security.unionpay_keys import build_key_block, read_key_block

KEY = bytes.fromhex("C1A4AE89BAEAB029723C80DB5F4CD3D1")
PIN = "7391846520"
PAN = "6222021398765432"
TRACK = PAN + "D25121019876543"

SECRETS = {
    form
    for secret in (KEY, KEY[:8], KEY[8:])
    for form in (secret.hex(), secret.hex().upper(), repr(secret)[2:-1], str(list(secret))[1:-1])
} | {PIN, PIN[:5], PAN, PAN[6:12], TRACK}
"""Each secret in the forms in which it might be printed."""

SHOWN = {
    "working keys": WorkingKeys(KEY, KEY, KEY),
    "TDES session keys": dukpt_tdes.session_keys(KEY),
    "AES session keys": dukpt_aes.AesSessionKeys(KEY, KEY, KEY, KEY, KEY),
    "issuer keys": IssuerKeys("bank", "visa", KEY, KEY, KEY),
    "chip data": emv.ChipData(PAN, {"57": TRACK}, "01"),
    "base key": BaseKey("pads", "tdes", "FFFF", KEY),
    "key ring": parse_key_file(f'default_tmk = "{KEY.hex()}"'.encode(), "keys.toml"),
    "logon": hypercom_keys.Logon(WorkingKeys(KEY, KEY), ("SHOP",)),
}

LONG = KEY + KEY[:1]
CLEAR_BLOCK = pin_block.clear_pin_block("iso-0", PIN, PAN)

REFUSED: dict[str, Callable[[], object]] = {
    "a key for a MAC": lambda: mac.make_mac("x9.19", LONG, TRACK.encode()),
    "a key for a block": lambda: build_key_block(LONG, WorkingKeys(KEY, KEY)),
    "keys for a block": lambda: build_key_block(KEY, WorkingKeys(LONG, KEY)),
    "a key block": lambda: read_key_block(KEY, KEY),
    "keys under another key": lambda: read_key_block(KEY, build_key_block(KEY[::-1], WorkingKeys(KEY, KEY))),
    "a check value": lambda: verify_check_value(KEY, KEY[:4], "PIN key"),
    "packed keys": lambda: unpack_working_keys(KEY),
    "a logon": lambda: hypercom_keys.build_logon(KEY, WorkingKeys(KEY, KEY)),
    "a PIN with a letter": lambda: pin_block.encrypt_pin("iso-0", KEY, PIN + "x", PAN),
    "a PAN with a letter": lambda: pin_block.encrypt_pin("iso-4", KEY, PIN, PAN + "x", bytes(8)),
    "a PIN block": lambda: pin_block.pin_of_clear_block("iso-3", CLEAR_BLOCK, PAN),
    "a PIN block's filling": lambda: pin_block.pin_of_clear_block("iso-0", CLEAR_BLOCK[:-1] + b"\x00", PAN),
    "a base key": lambda: dukpt_tdes.initial_key(LONG, bytes(10)),
    "an AES base key": lambda: dukpt_aes.initial_key(LONG, bytes(12)),
    "a track": lambda: track_cipher.encrypt_track(KEY, TRACK + "?"),
    "a track under another key": lambda: track_cipher.decrypt_track(KEY, track_cipher.encrypt_track(KEY[::-1], TRACK)),
    "a card's data": lambda: emv.make_cryptogram(
        next(iter(emv.VERSIONS.values())),
        IssuerKeys("bank", "visa", KEY),
        emv.ChipData(PAN + "?", {"9F10": KEY.hex(), "9F02": PIN}),
    ),
    "a sealing key": lambda: sealing.seal(LONG, KEY, bytes(12), "T1"),
    "a seal": lambda: sealing.unseal(KEY * 2, b"\x01" + KEY * 3, "T1"),
    "a key file": lambda: parse_key_file(f'default_tmk = "{LONG.hex()}"'.encode(), "keys.toml"),
    "a key file that is no TOML": lambda: parse_key_file(f"default_tmk = {KEY.hex()}".encode(), "keys.toml"),
}


def chain(error: BaseException | None) -> Iterator[str]:
    """Everything that printing an error and what led to it could show."""
    while error is not None:
        yield f"{error!r} {error} {error.args} {vars(error)}"
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("name", SHOWN)
def test_no_repr_shows_a_key(name: str) -> None:
    shown = f"{SHOWN[name]!r} {SHOWN[name]}"

    assert [] == [secret for secret in SECRETS if secret in shown]


@pytest.mark.parametrize("name", REFUSED)
def test_no_error_shows_a_secret(name: str) -> None:
    with pytest.raises(SecurityError) as caught:
        REFUSED[name]()

    told = " ".join(chain(caught.value))
    assert [] == [secret for secret in SECRETS if secret in told]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_nothing_warns_a_user() -> None:
    result = run("-W", "error", str(Path(__file__).parent / "every_cipher.py"))

    assert (0, "", "") == (result.returncode, result.stdout, result.stderr)


def test_the_libraries_would_warn_without_us() -> None:
    """When this fails they have learned better, and `quiet_libraries` can go."""
    for call in ("psec.des.generate_kcv(bytes(range(16)))", "pyemv.tools.key_check_digits(bytes(range(16)))"):
        result = run("-W", "error", "-c", f"import psec, pyemv; {call}")

        assert "CryptographyDeprecationWarning" in result.stderr


def test_importing_it_all_and_loading_the_keys_loads_no_cryptography() -> None:
    modules = [f"pos_specs.security.{found.name}" for found in pkgutil.iter_modules(pos_specs.security.__path__)]
    assert "pos_specs.security.emv" in modules
    script = (
        f"import sys, {', '.join(modules)}\n"
        "pos_specs.security.key_file.load_key_file()\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'cryptography', 'psec', 'pyemv', 'ssl'}))"
    )

    assert "[]\n" == run("-c", script).stdout


def test_the_shipped_test_keys_are_not_shown_either() -> None:
    assert "KeyRing(source='test_keys.toml')" == repr(load_key_file())
