"""An event loop in a thread of its own, so that asyncssh stays inside this adapter."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, TypeVar

T = TypeVar("T")

_END = object()


class BackgroundLoop:
    """Runs coroutines for callers that wait."""

    def __init__(self) -> None:
        """Start the thread."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="aphub-drop", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for one coroutine; it brings its own time limits."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def each(self, stream: AsyncIterator[T]) -> Iterator[T]:
        """Give what a stream gives, as it comes; leaving early ends the stream."""
        arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()

        async def pump() -> None:
            try:
                async for one in stream:
                    arrived.put(one)
            finally:
                arrived.put(_END)

        pumping = asyncio.run_coroutine_threadsafe(pump(), self._loop)
        try:
            while (one := arrived.get()) is not _END:
                yield one
            pumping.result()
        finally:
            pumping.cancel()

    def stop(self) -> None:
        """End the loop and join its thread."""

        async def settle() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self.run(settle())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
