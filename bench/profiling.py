"""A profile of Fairlead's worker while it is measured, all its threads, by the sampling profiler py-spy.

py-spy is no dependency of the project: `pip install py-spy`, and on Linux the right to trace processes.
"""

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

_FORMATS = {".svg": "flamegraph", ".json": "speedscope", ".txt": "raw"}
_RATE = "200"


class NoProfiler(RuntimeError):
    """py-spy cannot be used; the text says why and what to do."""


@asynccontextmanager
async def profiled(worker: psutil.Process, file: Path | None) -> AsyncIterator[None]:
    """Sample `worker` into `file` (.svg, .json for speedscope, .txt for stacks). None: nothing is done."""
    if file is None:
        yield
        return
    command = _command(worker, file)
    profiler = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield
    finally:
        if profiler.returncode is None:
            profiler.send_signal(signal.SIGINT)
        _, errors = await profiler.communicate()
    if not file.exists():  # noqa: ASYNC240 - once, at the end
        raise NoProfiler(f"py-spy wrote no {file}: {errors.decode().strip()[-300:]}")


def _command(worker: psutil.Process, file: Path) -> list[str]:
    program = shutil.which("py-spy")
    if program is None:
        raise NoProfiler("--profile needs py-spy on PATH: pip install py-spy")
    kind = _FORMATS.get(file.suffix)
    if kind is None:
        raise NoProfiler(
            f"--profile writes {', '.join(_FORMATS)}, not {file.suffix or 'a file without suffix'}"
        )
    return [
        *(program, "record", "--pid", str(worker.pid), "--rate", _RATE, "--format", kind),
        *("--output", str(file), "--nonblocking"),
    ]
