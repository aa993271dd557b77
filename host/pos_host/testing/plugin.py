"""The pytest plugin: fixtures `pos_acquirer`, `pos_acquirer_session`, `pos_terminals` and `pos_events`.

Every pytest run of a project that has pos-host installed loads this file, so it loads nothing of the host and nothing
of the terminal: a fixture that is used does. Host and terminal know nothing of each other; here, outside of both,
they are joined, and the terminal is loaded by its name alone.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from pos_host.testing.acquirer import Acquirer
    from pos_host.testing.acquirer_options import AcquirerOptions
    from pos_host.testing.loop_thread import LoopThread

MARKER = "pos_acquirer"

_FIXTURES = ("pos_acquirer", "pos_acquirer_session")

_HELP = (
    "pos_acquirer(dialect=…, enrol=…, mac=…, policy=…, rules=…, clock=…, http=…, keys=…): "
    "how the acquirer of pos_acquirer and pos_acquirer_session is started (pos-host)"
)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _HELP)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test that passed fails where its expectations are not met; one that failed has said why itself."""
    outcome = yield
    for name in _FIXTURES:
        acquirer = getattr(item, "funcargs", {}).get(name)
        why = "" if acquirer is None else acquirer.unmet_expectations()
        if why:
            pytest.fail(why, pytrace=False)
    return outcome


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that failed shows what its acquirer received."""
    report = yield
    if report.failed and report.when == "call":
        for name in _FIXTURES:
            acquirer = getattr(item, "funcargs", {}).get(name)
            if acquirer is not None:
                report.sections.append((f"{name} received", acquirer.transcript()))
    return report


@pytest.fixture(scope="session")
def pos_loop() -> Iterator[LoopThread]:
    """The loop, in a thread of its own, on which acquirers and their terminals live."""
    from pos_host.testing.loop_thread import LoopThread

    loop = LoopThread()
    loop.start()
    yield loop
    loop.stop()


@pytest.fixture
def pos_acquirer(request: pytest.FixtureRequest, pos_loop: LoopThread) -> Iterator[Acquirer]:
    """An acquirer of this test alone: a host in this process on a free port, with a manual clock. What a test expects
    of it with `expect` is checked when the test ends. The marker `pos_acquirer` says what is to be different."""
    from pos_host.testing.standard_log import standard_log

    with standard_log():
        acquirer = _started(request, pos_loop, _options_of(request))
        yield acquirer
        acquirer.close()


@pytest.fixture(scope="session")
def pos_acquirers(pos_loop: LoopThread) -> Iterator[dict[Any, Acquirer]]:
    """The acquirers of `pos_acquirer_session`, one for each way in which the marker asks for it."""
    from pos_host.testing.standard_log import standard_log

    acquirers: dict[Any, Acquirer] = {}
    yield acquirers
    with standard_log():
        for acquirer in acquirers.values():
            acquirer.close()


@pytest.fixture
def pos_acquirer_session(
    request: pytest.FixtureRequest, pos_loop: LoopThread, pos_acquirers: dict[Any, Acquirer]
) -> Iterator[Acquirer]:
    """The same acquirer in every test, at the same port, for terminals that are told once where their host is. Each
    test finds it clean: books, rules, clock and expectations are as at its start, and connections are closed."""
    from pos_host.testing.standard_log import standard_log

    options = _options_of(request)
    key = repr(options)
    with standard_log():
        if key in pos_acquirers:
            pos_acquirers[key].reset()
        else:
            pos_acquirers[key] = _started(request, pos_loop, options)
        yield pos_acquirers[key]


@pytest.fixture
def pos_terminals(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Makes terminals that trade with the test's acquirer: `pos_terminals("T0000001").purchase("12.34")`."""
    import importlib

    acquirer = _acquirer_of(request)
    testing = importlib.import_module("pos_terminal.testing.terminal_factory")
    terminals = testing.TerminalFactory(
        acquirer.run,
        acquirer.addresses,
        lambda: acquirer.clock.local,
        uses_mac=acquirer.options.mac != "off",
    )
    yield terminals
    terminals.close()


@pytest.fixture
def pos_events(request: pytest.FixtureRequest) -> Callable[..., list[dict[str, Any]]]:
    """Gives the acquirer's events since the test began, in order: `pos_events()`, `pos_events("batch.settled")`."""
    return _acquirer_of(request).events


def _acquirer_of(request: pytest.FixtureRequest) -> Acquirer:
    """The acquirer that the test uses, pos_acquirer where it names none."""
    name = "pos_acquirer_session" if "pos_acquirer_session" in request.fixturenames else "pos_acquirer"
    acquirer: Acquirer = request.getfixturevalue(name)
    return acquirer


def _started(request: pytest.FixtureRequest, loop: LoopThread, options: AcquirerOptions) -> Acquirer:
    from pos_host.testing.acquirer import Acquirer
    from pos_host.testing.acquirer_options import OptionError

    try:
        return Acquirer(loop, options)
    except OptionError as error:  # a rule or key file that the options name
        _refuse(request, str(error))


def _options_of(request: pytest.FixtureRequest) -> AcquirerOptions:
    """The options of all markers: the test's own stands over its class's, that over its module's."""
    from pos_host.testing.acquirer_options import OptionError, read_options

    given: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers(MARKER))):
        if marker.args:
            _refuse(request, "takes its options by name")
        given.update(marker.kwargs)
    try:
        return read_options(given)
    except OptionError as error:
        _refuse(request, str(error))


def _refuse(request: pytest.FixtureRequest, reason: str) -> NoReturn:
    """One line without the frames of this plugin, which are not where the mistake is."""
    pytest.fail(f"{request.node.nodeid}: marker {MARKER}: {reason}", pytrace=False)
