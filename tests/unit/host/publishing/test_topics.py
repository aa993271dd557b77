import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_host.publishing.errors import AddressNotUsable
from pos_host.publishing.topics import Topics


def test_topics_are_those_of_the_contract() -> None:
    topics = Topics()

    assert "pos-host/v1/host/status" == topics.host_status
    assert "pos-host/v1/terminals/M1/T1/batch" == topics.batch("M1", "T1")
    assert "pos-host/v1/terminals/M1/T1/unsettled" == topics.unsettled("M1", "T1")
    assert "pos-host/v1/terminals/M1/T1/commands" == topics.commands("M1", "T1")
    assert "pos-host/v1/events/transaction.approved" == topics.events("transaction.approved")


def test_a_prefix_of_ones_own_stands_before_all() -> None:
    assert "shop/pos/terminals/M1/T1/batch" == Topics("shop/pos").batch("M1", "T1")


@given(st.text(max_size=15), st.text(max_size=8))
def test_no_id_leaves_its_level(merchant_id: str, terminal_id: str) -> None:
    topic = Topics("p").batch(merchant_id, terminal_id)

    assert 5 == len(topic.split("/"))
    assert topic.isascii()
    assert topic.isprintable()
    assert not set(topic) & set("+# ")


@given(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()))
def test_different_terminals_never_share_a_topic(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (one == other) == (Topics().batch(*one) == Topics().batch(*other))


@pytest.mark.parametrize("prefix", ["", "/pos", "pos/", "$SYS", "pos/+", "pos/#", "pos\n", "pos\x00", "p" * 201])
def test_a_prefix_that_no_publisher_may_use_is_refused(prefix: str) -> None:
    with pytest.raises(AddressNotUsable, match="topic prefix") as refused:
        Topics(prefix)

    assert "\n" not in str(refused.value)
