"""Tracks under the track key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_specs.security.errors import TrackCipherError, UnusableKey
from pos_specs.security.track_cipher import decrypt_track, encrypt_track, track_is_encrypted

TDK = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
TRACK_2 = "6222021234567890128D25126200000000001"

TRACKS = st.text("0123456789D=", min_size=17, max_size=104)


@given(TRACKS, st.binary(min_size=16, max_size=16))
def test_a_track_comes_out_as_it_went_in(track: str, key: bytes) -> None:
    enciphered = encrypt_track(key, track)

    assert len(track) == len(enciphered)
    assert track.replace("=", "D") == decrypt_track(key, enciphered)


@given(TRACKS)
def test_only_eight_bytes_before_the_last_one_change(track: str) -> None:
    clear, enciphered = track.replace("=", "D"), encrypt_track(TDK, track)
    whole = len(track) + len(track) % 2

    assert clear[: whole - 18] == enciphered[: whole - 18]
    assert clear[whole - 2 :] == enciphered[whole - 2 :]
    assert clear[whole - 18 : whole - 2] != enciphered[whole - 18 : whole - 2]


def test_another_key_is_refused_where_no_track_comes_out() -> None:
    with pytest.raises(TrackCipherError, match="another track key"):
        decrypt_track(TDK[::-1], encrypt_track(TDK, TRACK_2))


@pytest.mark.parametrize("length", [0, 16])
def test_a_track_that_is_too_short_is_refused(length: int) -> None:
    with pytest.raises(TrackCipherError, match=f"of {length} characters is too short"):
        encrypt_track(TDK, "1" * length)


@pytest.mark.parametrize("foreign", ["^", " ", "x", "é"])
def test_a_track_with_other_characters_is_refused(foreign: str) -> None:
    with pytest.raises(TrackCipherError, match="neither hex digits nor a separator"):
        encrypt_track(TDK, TRACK_2 + foreign)


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(UnusableKey, match="5 bytes does not fit DES"):
        encrypt_track(TDK[:5], TRACK_2)


@pytest.mark.parametrize(
    ("element", "encrypted"), [("2610000000000000", True), ("2600000000000000", False), ("", False)]
)
def test_element_53_says_whether_tracks_are_enciphered(element: str, encrypted: bool) -> None:
    assert encrypted is track_is_encrypted(element)
