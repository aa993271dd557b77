from datetime import time
from pathlib import Path

import pytest

from pos_host.settlement.policy import PolicyError, load_policy

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    return tmp_path / "mine.toml"


def test_the_shipped_policy_says_what_the_contract_says() -> None:
    policy = load_policy(None)

    assert time(23, 0) == policy.cutoff
    assert "Asia/Shanghai" == policy.time_zone.key
    assert 30 * MINUTE == policy.remind_before_ms
    assert HOUR == policy.grace_ms
    assert DAY == policy.forgotten_after_ms
    assert 2 * DAY == policy.max_age_ms
    assert None is policy.max_transactions
    assert None is policy.max_amount_minor
    assert None is policy.min_amount_minor
    assert None is policy.silent_after_ms
    assert 30 * DAY == policy.auth_expires_ms
    assert 115 == policy.completion_percent
    assert (None, "on") == (policy.auto_settle, policy.auto_settle_mode)
    assert "never" == policy.block_sales_when


def test_a_file_of_ones_own_needs_only_what_differs(policy_file: Path) -> None:
    policy_file.write_text('cutoff = "22:15:30"\ntime_zone = "Europe/Berlin"\nmax_age = "off"\n')

    policy = load_policy(policy_file)

    assert time(22, 15, 30) == policy.cutoff
    assert "Europe/Berlin" == policy.time_zone.key
    assert None is policy.max_age_ms
    assert HOUR == policy.grace_ms


def test_limits_may_be_set(policy_file: Path) -> None:
    policy_file.write_text(
        'max_transactions = 500\nmax_amount_minor = 5_000_000\nmin_amount_minor = 0\nsilent_after = "PT8H"\n'
        'auth_expires = "P7D"\ncompletion_percent = 100\n'
    )

    policy = load_policy(str(policy_file))

    assert 500 == policy.max_transactions
    assert 5_000_000 == policy.max_amount_minor
    assert 0 == policy.min_amount_minor
    assert 8 * HOUR == policy.silent_after_ms
    assert (7 * DAY, 100) == (policy.auth_expires_ms, policy.completion_percent)


def test_the_host_may_settle_at_a_local_time_and_block_sales(policy_file: Path) -> None:
    policy_file.write_text('auto_settle = "23:30"\nauto_settle_mode = "dry_run"\nblock_sales_when = "overdue"\n')

    policy = load_policy(policy_file)

    assert (time(23, 30), "dry_run", "overdue") == (
        policy.auto_settle,
        policy.auto_settle_mode,
        policy.block_sales_when,
    )


def test_a_cutoff_may_be_a_local_time_of_toml(policy_file: Path) -> None:
    policy_file.write_text("cutoff = 21:30:00\n")

    assert time(21, 30) == load_policy(policy_file).cutoff


@pytest.mark.parametrize(
    ("line", "key", "reason"),
    [
        ('block_sales = "never"', "block_sales", "is not known here"),
        ('block_sales_when = "due"', "block_sales_when", "must be one of never, overdue, forgotten"),
        ('auto_settle_mode = "off"', "auto_settle_mode", "must be one of on, dry_run"),
        ('cutoff = "24:00"', "cutoff", 'must be a local time such as "23:00"'),
        ('cutoff = "9:00"', "cutoff", "must be a local time"),
        ("cutoff = 23", "cutoff", "must be a local time"),
        ('time_zone = "Mars/Olympus"', "time_zone", "must be an IANA time zone"),
        ('time_zone = "../etc/passwd"', "time_zone", "must be an IANA time zone"),
        ('time_zone = "Asia"', "time_zone", "must be an IANA time zone"),
        ('time_zone = ""', "time_zone", "must be an IANA time zone"),
        ('grace = "1 hour"', "grace", "is not a duration"),
        ('grace = "off"', "grace", "is not a duration"),
        ("remind_before = 30", "remind_before", "must be a duration"),
        ('forgotten_after = "PT30M"', "forgotten_after", "must not be shorter than grace"),
        ('max_age = "PT0S"', "max_age", "must be longer than nothing"),
        ("max_transactions = 0", "max_transactions", "a whole number from 1"),
        ("max_transactions = true", "max_transactions", "a whole number from 1"),
        ("max_amount_minor = 1.5", "max_amount_minor", "a whole number from 1"),
        ("min_amount_minor = 9\nmax_amount_minor = 8", "min_amount_minor", "above max_amount_minor"),
        ('silent_after = ""', "silent_after", "is not a duration"),
        ('auth_expires = "off"', "auth_expires", "is not a duration"),
        ('auth_expires = "P0D"', "auth_expires", "must be longer than nothing"),
        ("completion_percent = 0", "completion_percent", "a whole number from 1 to 1000"),
        ('completion_percent = "115 %"', "completion_percent", "a whole number from 1 to 1000"),
        ('auto_settle = "24:30"', "auto_settle", 'must be a local time such as "23:00", or "off"'),
        ("auto_settle = false", "auto_settle", "must be a local time"),
    ],
)
def test_a_wrong_value_is_refused_naming_file_and_key(policy_file: Path, line: str, key: str, reason: str) -> None:
    policy_file.write_text(line)

    with pytest.raises(PolicyError) as refused:
        load_policy(policy_file)

    assert ("mine.toml", key) == (refused.value.file, refused.value.key)
    assert reason in refused.value.reason
    assert str(refused.value).startswith(f"mine.toml: {key}: ")
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"gone\.toml: no such file$"):
        load_policy(tmp_path / "gone.toml")


def test_a_file_that_is_not_toml_is_named(policy_file: Path) -> None:
    policy_file.write_text("cutoff = 23:")

    with pytest.raises(PolicyError, match=r"mine\.toml: not TOML"):
        load_policy(policy_file)
