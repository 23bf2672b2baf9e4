"""Reading and finding in threads that nobody has to wait for."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from whyset.pipelines.engine._threads import Prefetcher, WorkerThread

# A process whose reader and worker are both stuck must still come to its end.
STUCK = """
import asyncio, time
from whyset.pipelines.engine._threads import Prefetcher, WorkerThread

def stuck():
    yield 1
    time.sleep(600)

async def main():
    async for item in Prefetcher(stuck()):
        break
    asyncio.create_task(WorkerThread("stuck").call(lambda: time.sleep(600)))
    await asyncio.sleep(0.05)
    print("over")

asyncio.run(main())
"""


async def test_items_come_in_order_and_all_of_them() -> None:
    reader = Prefetcher(range(5000))
    assert [item async for item in reader] == list(range(5000))


async def test_what_the_source_raises_comes_after_its_last_item() -> None:
    def breaking() -> Iterator[int]:
        yield from range(3)
        raise ValueError("broken")

    seen = []
    with pytest.raises(ValueError, match="broken"):
        async for item in Prefetcher(breaking()):
            seen.append(item)  # noqa: PERF401 - what came before the error must be kept
    assert seen == [0, 1, 2]


async def test_closing_closes_the_source() -> None:
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    reader = Prefetcher(endless())
    async for _ in reader:
        break
    reader.close()
    assert closed.wait(5)


async def test_a_worker_returns_and_raises_what_its_functions_do_one_at_a_time() -> None:
    worker = WorkerThread("test")
    busy: list[int] = []

    def work(number: int) -> int:
        busy.append(number)
        assert len(busy) == 1
        time.sleep(0.002)
        busy.remove(number)
        if number == 3:
            raise ValueError("three")
        return number

    def job(number: int) -> "asyncio.Future[int]":
        return asyncio.ensure_future(worker.call(lambda: work(number)))

    results = await asyncio.gather(*map(job, range(5)), return_exceptions=True)
    assert [result for result in results if not isinstance(result, ValueError)] == [0, 1, 2, 4]
    assert str(results[3]) == "three"
    worker.close()


def test_a_process_ends_although_both_are_stuck() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=20, check=False
    )
    assert (ended.stdout, ended.stderr, ended.returncode) == ("over\n", "", 0)
