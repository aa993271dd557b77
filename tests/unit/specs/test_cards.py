"""Cards by number."""

import pytest

from pos_specs.cards import organisation, pan_of_track2


@pytest.mark.parametrize(
    ("pan", "name"),
    [
        ("6222020000000000126", "CUP"),
        ("8100000000000000", "CUP"),
        ("4761739001010119", "VIS"),
        ("5412345678901232", "MCC"),
        ("2221000000000009", "MCC"),
        ("3530111333300000", "JCB"),
        ("36111111111111", "DCC"),
        ("378282246310005", "AMX"),
        ("6304000000000000", "MAE"),
        ("9999999999999999", "000"),
        ("", "000"),
    ],
)
def test_a_card_belongs_to_the_organisation_of_its_longest_known_prefix(pan: str, name: str) -> None:
    assert name == organisation(pan)


@pytest.mark.parametrize("track", ["4761739001010119D2212201", "4761739001010119=2212201", "4761739001010119"])
def test_the_card_number_stands_before_the_separator(track: str) -> None:
    assert "4761739001010119" == pan_of_track2(track)
