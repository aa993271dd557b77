from pos_host.publishing.guarded_broker import SnapshotDict


def test_subscriptions_may_change_while_a_loop_walks_them() -> None:
    subscriptions = SnapshotDict()
    subscriptions["a"] = []
    subscriptions["b"] = []

    for topic_filter in subscriptions:
        subscriptions[topic_filter + topic_filter] = []
    for topic_filter, _ in subscriptions.items():
        del subscriptions[topic_filter]

    assert {} == subscriptions
