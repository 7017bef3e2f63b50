"""Stop-watches: wall time, peak memory, and how long single steps hold the event loop."""

import asyncio
import gc
import math
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType, TracebackType
from typing import Any

import psutil
from typing_extensions import Self

_HANDLE: Any = asyncio.Handle
_LOOK_SECONDS = 0.01
_LONG_SECONDS = 0.05


def percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def exponent(at_ten: float, at_hundred: float) -> float:
    """b in time = a x size^b, between ten and a hundred times the smallest size."""
    return math.log10(at_hundred / at_ten)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


class Meter:
    """Measures what happens inside the block; `seconds` and the rest are there after it.

    `stall_cpu`: the longest single step of the event loop, in seconds of this thread's processor
    time (what a busy neighbour takes away does not count, nor does Python's garbage collection);
    `ours_cpu`: the longest one that was seen in code of the extension; `where`: in which function;
    `collection_cpu`: the longest garbage collection in this thread.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.peak_mb = 0.0
        self.stall_cpu = 0.0
        self.ours_cpu = 0.0
        self.where = ""
        self.collection_cpu = 0.0
        self._collected = 0.0
        self._collection_began = 0.0
        self._began = 0.0
        self._seen = ""
        self._done = threading.Event()
        self._original: Callable[[Any], None] = _HANDLE._run
        self._loop_thread = threading.get_ident()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._before = psutil.Process().memory_info().rss
        original = self._original

        def timed(handle: Any) -> None:
            self._began, self._seen = time.monotonic(), ""
            began = time.thread_time() - self._collected
            try:
                original(handle)
            finally:
                self._note(time.thread_time() - self._collected - began)
                self._began = 0.0

        _HANDLE._run = timed
        gc.callbacks.append(self._collect)
        self._watcher.start()
        self._start = time.perf_counter()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.seconds = time.perf_counter() - self._start
        _HANDLE._run = self._original
        gc.callbacks.remove(self._collect)
        self._done.set()
        self._watcher.join()

    def _note(self, cpu: float) -> None:
        self.stall_cpu = max(self.stall_cpu, cpu)
        if self._seen and cpu > self.ours_cpu:
            self.ours_cpu, self.where = cpu, self._seen

    def _collect(self, phase: str, _: dict[str, int]) -> None:
        if threading.get_ident() != self._loop_thread:
            return
        if phase == "start":
            self._collection_began = time.thread_time()
        else:
            took = time.thread_time() - self._collection_began
            self._collected += took
            self.collection_cpu = max(self.collection_cpu, took)

    def _watch(self) -> None:
        process = psutil.Process()
        while not self._done.wait(_LOOK_SECONDS):
            self.peak_mb = max(self.peak_mb, (process.memory_info().rss - self._before) / 2**20)
            began = self._began
            if began and time.monotonic() - began > _LONG_SECONDS / 3:
                self._seen = _ours(sys._current_frames().get(self._loop_thread)) or self._seen


def _ours(frame: FrameType | None) -> str:
    """The innermost function of the extension on this stack, unless LNbits was called by it."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("lnbits.") and not module.startswith("lnbits.db"):
            return ""
        if module.startswith("satmachineclient."):
            return f"{module}.{frame.f_code.co_name}"
        frame = frame.f_back
    return ""
