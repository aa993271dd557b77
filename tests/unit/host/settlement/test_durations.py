import pytest

from pos_host.settlement.durations import LONGEST_DURATION_MS, DurationError, duration_ms

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("PT30M", 30 * MINUTE),
        ("PT1H", HOUR),
        ("PT24H", DAY),
        ("P2D", 2 * DAY),
        ("P1W", 7 * DAY),
        ("P1DT2H3M4S", DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND),
        ("PT0.25S", 250),
        ("PT0S", 0),
        ("P366D", LONGEST_DURATION_MS),
    ],
)
def test_a_duration_of_fixed_length_is_its_milliseconds(text: str, milliseconds: int) -> None:
    assert milliseconds == duration_ms(text)


@pytest.mark.parametrize(
    "text",
    [
        *["", "P", "PT", "P1DT", "30M", "PT30", "PT-5M", "-PT5M", "pt30m", "P1M", "P1Y", "PT1.5H", "P1W2D"],
        *["PT1S ", "PT1H\n", "P١D"],
    ],
)
def test_anything_else_is_refused_with_an_example_of_what_is_right(text: str) -> None:
    with pytest.raises(DurationError, match="such as PT30M"):
        duration_ms(text)


def test_a_duration_above_a_year_is_taken_for_a_typing_error() -> None:
    with pytest.raises(DurationError, match="longer than a year"):
        duration_ms("P367D")
