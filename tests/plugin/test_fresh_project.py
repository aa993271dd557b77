"""The plugin inside projects of other people: what their pytest shows them, and that it costs nothing unused."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from pos_host.testing.acquirer import Acquirer
from pos_host.testing.acquirer_options import read_options
from pos_host.testing.loop_thread import LoopThread
from pos_terminal.testing.terminal_factory import TerminalFactory

pytest_plugins = ["pytester"]

EXAMPLE = Path(__file__).parents[2] / "examples" / "pytest_project"

FAILING = """
    def test_the_amount_is_wrong(pos_acquirer, pos_terminals):
        pos_acquirer.expect(function="purchase", amount_minor=1234, currency="CNY", fields={"26": "12"}).once()
        pos_terminals("T0000001").purchase("12.35", card="6212345678901234569")

    def test_nothing_of_it_comes(pos_acquirer, pos_terminals):
        pos_acquirer.expect(function="reversal").once()
        pos_terminals("T0000001").purchase("1.00")

    def test_it_comes_too_often(pos_acquirer, pos_terminals):
        pos_acquirer.expect(function="purchase").never()
        pos_terminals("T0000001").purchase("1.00")

    def test_it_comes_in_another_order(pos_acquirer, pos_terminals):
        pos_acquirer.expect_in_order("purchase", "sign_in")
        pos_terminals("T0000001").sign_in()

    def test_it_fails_by_itself(pos_acquirer):
        pos_acquirer.expect(function="purchase").once()
        assert "its own" == "reason"

    def test_it_is_checked_at_once(pos_acquirer):
        pos_acquirer.expect(function="echo").once()
        pos_acquirer.verify_expectations()
"""


@pytest.fixture(scope="module", autouse=True)
def everything_loaded(pos_loop: LoopThread) -> None:
    """What is loaded before stays loaded: `runpytest_inprocess` forgets every module that came with the run, and
    there are some that can be loaded but once."""
    acquirer = Acquirer(pos_loop, read_options({}))
    terminals = TerminalFactory(acquirer.run, acquirer.addresses, lambda: acquirer.clock.local)
    terminal = terminals("T0000001")
    terminal.sign_in()
    terminal.purchase("1.00", pin="123456")
    terminals.close()
    acquirer.close()


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    return pytester


def test_a_failed_expectation_tells_the_nearest_misses_element_by_element(project: pytest.Pytester) -> None:
    project.makepyfile(textwrap.dedent(FAILING))

    result = project.runpytest_inprocess("-q")

    result.assert_outcomes(failed=6)
    text = result.stdout.str()
    assert "one purchase came: DE4 was 000000001235 instead of 000000001234; DE26 absent\n" in text
    assert "expected once: reversal; came 0 times\n  received: 1 purchase\n" in text
    assert re.search(
        r"expected never: purchase; came once\n  #1 purchase of T0000001, STAN 000001, answered 00\n", text
    )
    assert "number 1, purchase, did not come" in text
    failures, _, _ = text.partition("short test summary info")  # under CI pytest says it all a second time there
    assert 1 == failures.count("expected once: purchase (")
    assert "assert 'its own' == 'reason'" in text
    assert re.search(r"-+ pos_acquirer received -+\nnothing\n", text)
    assert re.search(r"-+ pos_acquirer received -+\n#1 sign_in of T0000001, STAN 000001, answered 00\n", text)
    assert "ExpectationFailed: expected once: echo; came 0 times" in text


def test_a_card_number_is_in_no_failure(project: pytest.Pytester) -> None:
    project.makepyfile(
        textwrap.dedent("""
        PAN = "62123456789" + "01234569"

        def test_another_card(pos_acquirer, pos_terminals):
            pos_acquirer.expect(card="4111111" + "111111111", fields={"35": "4111111" + "111111111=4912201"}).once()
            pos_terminals("T0000001").purchase("1.00", card=PAN)
            print(pos_acquirer.received(), pos_terminals("T2").purchase("1.00", card=PAN))
        """)
    )

    text = project.runpytest_inprocess("-q", "--showlocals").stdout.str()

    assert "card was 621234*********4569 instead of 411111******1111" in text
    for pan in ("6212345678901234569", "4111111111111111"):
        assert pan not in text


def test_a_marker_that_is_wrong_says_what_it_must_be(project: pytest.Pytester) -> None:
    project.makepyfile(
        textwrap.dedent("""
        import pytest

        @pytest.mark.pos_acquirer(enrol="sometimes")
        def test_enrol(pos_acquirer): ...

        @pytest.mark.pos_acquirer(scope="module")
        def test_scope(pos_acquirer): ...

        @pytest.mark.pos_acquirer(colour="red")
        def test_unknown(pos_acquirer): ...

        @pytest.mark.pos_acquirer(dialect="klingon")
        def test_dialect(pos_acquirer): ...

        @pytest.mark.pos_acquirer(rules=[{"when": {"function": "purchase"}, "reply": {"colour": "red"}}])
        def test_rules(pos_acquirer): ...

        @pytest.mark.pos_acquirer(policy={"cutoff": "25:00"})
        def test_policy(pos_acquirer): ...

        @pytest.mark.pos_acquirer("hypercom")
        def test_by_place(pos_acquirer): ...
        """)
    )

    result = project.runpytest_inprocess("-q")

    result.assert_outcomes(errors=7)
    text = result.stdout.str()
    for said in (
        "enrol: is 'sometimes', must be one of open, strict",
        "use the fixture pos_acquirer_session",
        "colour: is not known here; there are dialect, enrol",
        "dialect: ",
        "rules: body: rules[1].reply.colour",
        "policy: cutoff: is '25:00'",
        "takes its options by name",
    ):
        assert said in text, said


def test_markers_of_module_class_and_test_add_up(project: pytest.Pytester) -> None:
    project.makepyfile(
        textwrap.dedent("""
        import pytest

        pytestmark = pytest.mark.pos_acquirer(dialect="hypercom", enrol="strict")

        def test_module(pos_acquirer):
            assert ("hypercom", "strict") == (pos_acquirer.dialect, pos_acquirer.options.enrol)

        @pytest.mark.pos_acquirer(enrol="open")
        class TestClass:
            @pytest.mark.pos_acquirer(dialect=["iso87-ascii", "unionpay"])
            def test_own(self, pos_acquirer):
                assert ["iso87-ascii", "unionpay"] == list(pos_acquirer.addresses)
                assert "open" == pos_acquirer.options.enrol
        """)
    )

    project.runpytest_inprocess("-q", "--strict-markers").assert_outcomes(passed=2)


def test_the_plugin_loads_nothing_of_ours_where_nobody_uses_it(project: pytest.Pytester) -> None:
    """A process of its own: this one has everything loaded."""
    project.makepyfile(
        textwrap.dedent("""
        import sys

        def test_modules():
            ours = {name for name in sys.modules if name.split(".")[0] in ("pos_host", "pos_terminal", "pos_specs")}
            assert {"pos_host", "pos_host.testing", "pos_host.testing.plugin"} == ours
            assert not {"cryptography", "structlog", "fastapi", "typer"} & set(sys.modules)
        """)
    )

    project.runpytest_subprocess("-q", "-p", "no:cacheprovider").assert_outcomes(passed=1)


@pytest.mark.slow
def test_twenty_tests_run_in_two_processes(project: pytest.Pytester) -> None:
    """Two processes under xdist, each loading everything once: some two seconds of work. Slow for that alone."""
    project.makepyfile(
        textwrap.dedent("""
        import pytest

        @pytest.mark.parametrize("number", range(20))
        def test_sale(number, pos_acquirer, pos_terminals):
            pos_acquirer.expect(function="purchase", amount_minor=100 + number).once()
            assert pos_terminals("T0000001").purchase(f"1.{number:02d}").approved
            assert 1 == len(pos_acquirer.received())
        """)
    )

    project.runpytest_subprocess("-q", "-n", "2", "-p", "no:cacheprovider").assert_outcomes(passed=20)


@pytest.mark.slow
def test_the_example_project_is_green(pytester: pytest.Pytester) -> None:
    """A process of its own, which lives through fourteen tests and their time-outs."""
    result = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider", str(EXAMPLE))

    assert 0 == result.ret, result.stdout.str()
    assert result.parseoutcomes().keys() <= {"passed", "warnings", "warning"}
