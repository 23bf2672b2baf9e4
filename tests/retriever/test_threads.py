"""Matrix products keep to one thread while anyone is inside, and get theirs back after the last."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

# It ships no types.
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from whyset.retriever._minilm import MiniLM, limit_blas_threads


def in_a_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def threads() -> set[int]:
    """Return how many threads the libraries of linear algebra use."""
    return {
        library["num_threads"]
        for library in ThreadpoolController().info()
        if library["user_api"] == "blas"
    }


@pytest.fixture(autouse=True)
def two_threads(minilm: MiniLM) -> Iterator[None]:
    """Two to begin with, whatever this machine has."""
    limits = []

    # threadpoolctl heeds no second thread while the one that set a limit lives.
    def limit() -> None:
        limits.append(ThreadpoolController().limit(limits=2, user_api="blas"))

    in_a_thread(limit)
    assert threads() == {2}
    yield
    in_a_thread(limits[0].restore_original_limits)


def test_one_thread_inside_and_as_before_outside() -> None:
    for _ in range(2):
        with limit_blas_threads():
            assert threads() == {1}
        assert threads() == {2}


def test_an_error_inside_gives_the_threads_back() -> None:
    with pytest.raises(ValueError, match="inside"), limit_blas_threads():
        raise ValueError("inside")

    assert threads() == {2}


def test_the_last_of_several_gives_the_threads_back() -> None:
    with limit_blas_threads():
        with limit_blas_threads():
            assert threads() == {1}
        assert threads() == {1}
    assert threads() == {2}


def test_another_thread_has_the_same_after_this_one_was_inside() -> None:
    seen = []

    def enter() -> None:
        with limit_blas_threads():
            seen.append(threads())
        seen.append(threads())

    with limit_blas_threads():
        pass
    in_a_thread(enter)

    assert seen == [{1}, {2}]


def test_the_first_to_come_may_leave_first_and_the_last_be_another_thread() -> None:
    with ExitStack() as first, ExitStack() as second:
        in_a_thread(lambda: first.enter_context(limit_blas_threads()))
        second.enter_context(limit_blas_threads())
        in_a_thread(first.close)
        assert threads() == {1}
        in_a_thread(second.close)
        assert threads() == {2}


def test_threads_that_come_and_go_leave_all_as_it_was() -> None:
    seen: list[set[int]] = []

    def come_and_go() -> None:
        for _ in range(30):
            with limit_blas_threads():
                seen.append(threads())

    workers = [threading.Thread(target=come_and_go) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert seen == [{1}] * 120
    assert threads() == {2}


def test_embedding_leaves_all_as_it_was_for_this_thread_and_others(minilm: MiniLM) -> None:
    minilm.embed(["a text"])
    assert threads() == {2}

    with ThreadpoolController().limit(limits=1, user_api="blas"):
        assert threads() == {1}
    in_a_thread(lambda: ThreadpoolController().limit(limits=1, user_api="blas"))
    assert threads() == {1}
