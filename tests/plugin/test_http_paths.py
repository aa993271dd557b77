"""What other languages have: received, expectations, reset and messages over HTTP, and the verb that shows messages."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from pos_host.cli import run_command
from pos_host.merchants.actors import Actor
from pos_host.options import NotDone, UsageError
from pos_host.testing.acquirer import Acquirer
from pos_host.verbs.office_client import OfficeClient

pytestmark = pytest.mark.pos_acquirer(http=True)

PAN = "4111111111111111"


@pytest.fixture
def api(pos_acquirer_session: Acquirer) -> OfficeClient:
    """One host for all, since making an API takes longer than asking it."""
    assert pos_acquirer_session.http is not None
    return OfficeClient(pos_acquirer_session.http, pos_acquirer_session.token)


@pytest.fixture
def terminal(api: OfficeClient, pos_terminals: Any) -> Any:
    return pos_terminals("T0000001")


def test_received_is_filtered_as_expectations_are(api: OfficeClient, terminal: Any) -> None:
    terminal.sign_in()
    terminal.purchase("12.34", card=PAN)
    terminal.purchase("5.00", card="unionpay")

    def stans(**query: Any) -> list[str]:
        return [item["request"]["fields"]["11"] for item in api.get("/received", **query)["items"]]

    assert ["000001", "000002", "000003"] == stans()
    assert ["000002"] == stans(function="purchase", amount="12.34", card=PAN, response_code="00")
    assert ["000003"] == stans(field=["4=000000000500", "49=156", "55="])
    assert ["000002", "000003"] == stans(field=["35=*"])
    assert [] == stans(terminal_id="T0000002")
    first = api.get("/received", limit=1)
    assert ["000001"] == [item["request"]["fields"]["11"] for item in first["items"]]
    assert ["000002"] == stans(limit=1, cursor=first["next_cursor"])
    assert [] == stans(since=first["mark"])


def test_forgetting_sets_a_mark_and_leaves_the_books(
    api: OfficeClient, terminal: Any, pos_acquirer_session: Acquirer
) -> None:
    terminal.purchase("1.00")

    mark = api.ask("DELETE", "/received", None, {})["mark"]

    assert {"items": [], "next_cursor": None, "mark": mark} == api.get("/received")
    assert 1 == pos_acquirer_session.terminal("T0000001")["batch"]["debit"]["count"]


def test_an_expectation_is_met_by_what_came_before_and_tells_it(api: OfficeClient, terminal: Any) -> None:
    terminal.purchase("12.34")

    made = api.post("/expectations", {"function": "purchase", "amount_minor": 1234})

    assert ("met", 1) == (made["verdict"], made["matched"])
    assert ["000000001234"] == [match["request"]["fields"]["4"] for match in made["matches"]]
    assert made == api.get(f"/expectations/{made['id']}")
    assert [made] == api.get("/expectations")["items"]


def test_a_missed_one_tells_the_nearest_and_no_card(api: OfficeClient, terminal: Any) -> None:
    document = {"function": "purchase", "amount": "12.34", "card": "6212345678901234569", "fields": {"26": "12"}}
    made = api.post("/expectations", document)
    terminal.purchase("12.35", card=PAN)

    told = api.get(f"/expectations/{made['id']}")

    assert "missed" == told["verdict"]
    assert [
        {"what": "DE4", "wanted": "000000001234", "came": "000000001235"},
        {"what": "DE26", "wanted": "12", "came": None},
        {"what": "card", "wanted": "621234*********4569", "came": "411111******1111"},
    ] == told["nearest"][0]["differences"]
    assert (
        "one purchase came: DE4 was 000000001235 instead of 000000001234; DE26 absent; card was" in told["explanation"]
    )
    for pan in (PAN, "6212345678901234569"):
        assert pan not in json.dumps(told)


def test_within_a_time_the_answer_waits_for_what_comes(api: OfficeClient, terminal: Any) -> None:
    made = api.post("/expectations", {"function": "purchase", "within": 30})
    assert "pending" == made["verdict"]
    told: list[str] = []
    waiting = threading.Thread(target=lambda: told.append(api.get(f"/expectations/{made['id']}")["verdict"]))
    waiting.start()

    terminal.purchase("1.00")

    waiting.join(10)
    assert ["met"] == told


def test_when_its_time_is_over_it_is_missed_or_rightly_never_came(api: OfficeClient, terminal: Any) -> None:
    missed = api.post("/expectations", {"function": "purchase", "within": 0.02})
    never = api.post("/expectations", {"function": "purchase", "count": 0, "within": 0.02})

    assert [] == api.get("/events")["items"]  # nothing of it is in the journal
    assert ["missed", "met"] == [api.get(f"/expectations/{one['id']}")["verdict"] for one in (missed, never)]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"colour": "red"}, "body.colour"),
        ({"function": "sale"}, "body.function: must be one of"),
        ({"count": -1}, "body.count: must be a whole number"),
        ({"count": {"at_least": 2, "at_most": 1}}, "body.count: at_most is less than at_least"),
        ({"within": 3600}, "body.within"),
        ({"within": "5"}, "body.within"),
        ({"count": True}, "body.count: Value error, must be a number, or at_least and at_most"),
        ({"amount_minor": True}, "body.amount_minor"),
        ({"since": True}, "body.since"),
        ({"card": "6212 3456 7890 1234 569"}, "body.card: must be a card number without spaces"),
        ({"fields": {"200": "1"}}, "body.fields: '200' is neither an element's number"),
        ({"amount": "1,00"}, "body.amount: '1,00' is no amount"),
    ],
)
def test_an_expectation_that_says_nothing_is_refused_by_its_key(
    api: OfficeClient, document: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        api.post("/expectations", document)
    assert said in str(refused.value)


def test_a_condition_of_a_query_is_refused_by_its_name(api: OfficeClient) -> None:
    with pytest.raises(UsageError, match="query\\.function: must be one of"):
        api.get("/received", function="sale")


def test_a_reset_makes_a_clean_host(api: OfficeClient, terminal: Any, pos_acquirer_session: Acquirer) -> None:
    api.post("/rules", {"when": {"function": "purchase"}, "reply": {"response_code": "51"}})
    api.post("/clock", {"advance": "PT1H"})
    expected = api.post("/expectations", {"function": "purchase"})
    api.post("/users", {"name": "ann", "role": "viewer"})
    began = api.get("/clock")["now"]
    terminal.purchase("1.00")

    answer = api.post("/reset")

    assert answer["now"] < began
    for path in ("/terminals", "/rules", "/received", "/messages", "/events", "/payouts", "/audit", "/users"):
        assert [] == api.get(path)["items"], path
    with pytest.raises(NotDone, match=f"no expectation {expected['id']}"):
        api.get(f"/expectations/{expected['id']}")
    assert terminal.purchase("1.00").approved
    assert [answer["mark"] + 1] == [item["number"] for item in api.get("/messages")["items"]]
    assert [] == pos_acquirer_session.verify()


def test_who_waits_for_an_expectation_hears_of_a_reset(api: OfficeClient, pos_acquirer_session: Acquirer) -> None:
    made = api.post("/expectations", {"function": "purchase", "within": 30})
    told: list[str] = []

    def wait() -> None:
        try:
            api.get(f"/expectations/{made['id']}")
        except NotDone as error:
            told.append(str(error))

    waiting = threading.Thread(target=wait)
    waiting.start()
    while not pos_acquirer_session.call(lambda: list(pos_acquirer_session.inside.parts.expectations.changed)):
        pass  # until it waits
    api.post("/reset")

    waiting.join(10)
    assert [f"there is no expectation {made['id']}; a reset forgets them"] == told


def test_only_operators_expect_forget_and_reset(api: OfficeClient, pos_acquirer_session: Acquirer) -> None:
    desk = pos_acquirer_session.inside.parts.desk
    for action in ("expectations.make", "received.forget", "host.reset"):
        assert not desk.allows(Actor("ann", "viewer"), action, "")
        assert desk.allows(Actor("bob", "operator"), action, "")


def test_messages_are_shown_as_decode_shows_them(api: OfficeClient, terminal: Any) -> None:
    terminal.echo()
    terminal.purchase("12.34", card=PAN)

    newest, oldest = api.get("/messages")["items"]

    assert ("purchase", "echo") == (newest["function"], oldest["function"])
    elements = {element["number"]: element for element in newest["request"]["elements"]}
    assert ("amount", "000000001234", "12.34 CNY") == tuple(elements["4"][key] for key in ("name", "value", "meaning"))
    assert ("000000001234", 13, 19) == tuple(elements["4"][key] for key in ("raw", "start", "end"))
    assert ("", "*" * 37) == (elements["35"]["raw"], elements["35"]["value"])
    assert "Approved" in {e["number"]: e for e in newest["reply"]["elements"]}["39"]["meaning"]
    assert PAN not in json.dumps([newest, oldest])
    assert ["echo"] == [item["function"] for item in api.get("/messages", function="echo")["items"]]


def test_messages_are_followed_over_resets_until_the_host_ends(pos_acquirer: Acquirer, pos_terminals: Any) -> None:
    assert pos_acquirer.http is not None
    stream = OfficeClient(pos_acquirer.http, pos_acquirer.token).stream("/messages", follow="", function="purchase")
    assert ": following" == next(stream)
    terminal = pos_terminals("T0000001")

    terminal.echo()
    terminal.purchase("12.34")
    assert ["", "id: 2", "event: message"] == [next(stream) for _ in range(3)]
    assert "000000001234" == json.loads(next(stream).removeprefix("data: "))["request"]["fields"]["4"]
    pos_acquirer.reset()
    assert terminal.purchase("5.00").approved
    assert ["", "id: 3"] == [next(stream) for _ in range(2)]

    began = time.monotonic()
    pos_acquirer.close()
    assert ["event: message", "data", ""] == [line.partition(": {")[0] for line in stream]
    assert time.monotonic() - began < 5


def test_the_verb_prints_messages(
    api: OfficeClient, terminal: Any, pos_acquirer_session: Acquirer, capsys: pytest.CaptureFixture[str]
) -> None:
    pos_acquirer_session.rules.add(id="lost", when={"function": "purchase"}, fault={"kind": "no_reply"})
    terminal.timeout_s = 0.02
    terminal.echo()
    terminal.purchase("12.34", card=PAN)
    where = ["--admin", str(pos_acquirer_session.http), "--token", pos_acquirer_session.token]

    assert 0 == run_command(["messages", *where])
    text = capsys.readouterr().out
    assert text.index("unionpay: echo of T0000001") < text.index("unionpay: purchase of T0000001")
    assert "approved 00; rules lost; fault no_reply" in text
    assert "12.34 CNY" in text
    assert PAN not in text

    assert 0 == run_command(["messages", *where, "--json", "--function", "echo"])
    assert ["echo"] == [json.loads(line)["function"] for line in capsys.readouterr().out.splitlines()]
    assert 2 == run_command(["messages", *where, "--function", "sale"])
    assert "function: must be one of" in capsys.readouterr().err
