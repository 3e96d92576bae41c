"""TF_CONFIG: what is read from it, and what is said about a wrong one."""

from __future__ import annotations

import json

import pytest

from tfopt.backend.devices.cluster import VARIABLE, WrongCluster, cluster

TWO = {"worker": ["first:2222", "second:2222"]}


def tf_config(monkeypatch: pytest.MonkeyPatch, value: object) -> None:
    monkeypatch.setenv(VARIABLE, value if isinstance(value, str) else json.dumps(value))


def test_workers_and_the_index_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    tf_config(monkeypatch, {"cluster": TWO, "task": {"type": "worker", "index": 1}})

    found = cluster()

    assert found is not None
    assert (found.workers, found.index, found.own) == (("first:2222", "second:2222"), 1, "second:2222")


def test_a_chief_is_the_first_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = {"worker": ["second:1", "third:1"], "chief": ["first:1"]}
    tf_config(monkeypatch, {"cluster": jobs, "task": {"type": "worker", "index": "1"}})

    found = cluster()

    assert found is not None
    assert (found.workers, found.index) == (("first:1", "second:1", "third:1"), 2)


def test_without_the_variable_there_is_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)

    assert cluster() is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{worker: 1}", "is not JSON"),
        ("[1]", "has no mapping 'cluster'"),
        ({"task": {"type": "worker", "index": 0}}, "has no mapping 'cluster'"),
        ({"cluster": {**TWO, "ps": ["third:1"]}, "task": {"type": "worker", "index": 0}}, "lists ps"),
        ({"cluster": {"worker": "first:1"}, "task": {"type": "worker", "index": 0}}, "has 'first:1'"),
        ({"cluster": {"worker": ["first"]}, "task": {"type": "worker", "index": 0}}, "host:port"),
        ({"cluster": {"worker": ["a:1", "a:1"]}, "task": {"type": "worker", "index": 0}}, "twice"),
        ({"cluster": TWO}, "must say which worker"),
        ({"cluster": TWO, "task": {"type": "chief", "index": 0}}, "'chief'"),
        ({"cluster": TWO, "task": {"type": "worker", "index": 2}}, "0 to 1"),
        ({"cluster": TWO, "task": {"type": "worker", "index": "x"}}, "'x'"),
        ({"cluster": TWO, "task": {"type": "worker", "index": 0.7}}, "has 0.7"),
        ({"cluster": TWO, "task": {"type": ["worker"], "index": 0}}, "this process is a"),
    ],
)
def test_what_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch, value: object, said: str) -> None:
    tf_config(monkeypatch, value)

    with pytest.raises(WrongCluster, match=said):
        cluster()
