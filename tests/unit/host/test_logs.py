"""The first line of the log, which loads what writes it."""

from __future__ import annotations

import threading

from structlog.testing import capture_logs

from pos_host import logs


def test_a_line_that_comes_while_logging_is_being_loaded_is_kept_and_stops_nobody() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def set_up_slowly() -> None:
        begun.set()
        go_on.wait(5)

    with capture_logs() as written:
        logs.log_from("info", set_up_slowly)
        loading = threading.Thread(target=logs.load)
        loading.start()
        begun.wait(5)
        logs.Logger("test").info("came_meanwhile", number=1)
        logs.Logger("test").debug("below_the_level")
        logs.Logger("test").warning("came_meanwhile", number=2)
        assert [] == written

        go_on.set()
        loading.join(5)
        logs.Logger("test").info("came_after")

    assert [("came_meanwhile", 1), ("came_meanwhile", 2), ("came_after", None)] == [
        (line["event"], line.get("number")) for line in written
    ]


def test_a_line_that_was_about_to_be_kept_when_loading_ended_is_written_by_its_own_thread() -> None:
    begun, go_on = threading.Event(), threading.Event()
    logs.log_from("info", lambda: (begun.set(), go_on.wait(5), None)[-1])
    loading = threading.Thread(target=logs.load)
    loading.start()
    begun.wait(5)
    late = logs.Logger("test").info
    go_on.set()
    loading.join(5)

    with capture_logs() as written:
        late("came_late")

    assert ["came_late"] == [line["event"] for line in written]
