"""What can go wrong with keys and what they protect, and whose fault it is.

    SpecsError
    └── SecurityError
        ├── UnusableKey       a key of a length its cipher does not take, or a cipher that is not here
        ├── KeyFileError      the file of --keys is wrong: its author's fault; names file and key
        ├── KeyBlockError     the working keys of a sign-in are not laid out as expected
        ├── KeyCheckFailed    a working key does not give its check value: another master key, or damage
        ├── KeySerialError    a KSN that DUKPT does not allow
        ├── PinBlockError     what came out of a PIN block is no PIN of this format
        ├── TrackCipherError  a track too short to be enciphered
        └── SealBroken        a sealed secret was changed, belongs to another terminal or to another key

No text of these errors holds a key, a PIN, a PAN or a track, nor a part of one.
"""

from __future__ import annotations

from pos_specs.errors import SpecsError


class SecurityError(SpecsError):
    """Root of every error about keys and what they protect."""


class UnusableKey(SecurityError):
    """A key has a length that its cipher does not take, or the cipher is not available here."""


class KeyFileError(SecurityError):
    """A key file is wrong; `file` and `key` say where (`key` is empty when the file itself cannot be read)."""

    def __init__(self, file: str, key: str, reason: str) -> None:
        super().__init__(f"{file}: {key}: {reason}" if key else f"{file}: {reason}")
        self.file = file
        self.key = key
        self.reason = reason


class KeyBlockError(SecurityError):
    """Working keys fit no layout."""


class KeyCheckFailed(SecurityError):
    """A working key does not give the check value that came with it; `key_name` says which key."""

    def __init__(self, key_name: str) -> None:
        super().__init__(f"{key_name}: the check value does not match: another master key, or damaged on the way")
        self.key_name = key_name


class KeySerialError(SecurityError):
    """A key serial number is too long or too short, has a counter that DUKPT skips, or is used up."""


class PinBlockError(SecurityError):
    """A PIN, a PAN or a clear PIN block does not fit the format."""


class TrackCipherError(SecurityError):
    """A track cannot be enciphered or deciphered."""


class SealBroken(SecurityError):
    """A sealed secret cannot be opened with this key for this terminal."""
