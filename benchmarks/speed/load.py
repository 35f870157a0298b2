"""Load from wrk, a load generator in C; one in Python would measure mainly itself."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import httpx2

from benchmarks.speed.process import Process
from benchmarks.speed.requests import ID, Request

__all__ = ["Load", "check", "fire", "need_wrk", "send"]

_COMPLETED = re.compile(r"(\d+) requests in")
_MEDIAN = re.compile(r"50%\s+([\d.]+)(us|ms|s)")
_LATE = re.compile(r"99%\s+([\d.]+)(us|ms|s)")
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


@dataclass(frozen=True, slots=True)
class Load:
    """The result of one window of load."""

    requests: int
    seconds: float
    cpu_seconds: float
    generator_seconds: float
    """The generator's own CPU; near `seconds`, it and not the server was the limit."""
    median_seconds: float
    late_seconds: float
    """The 99th percentile."""

    @property
    def cpu_per_request(self) -> float:
        return self.cpu_seconds / self.requests


def need_wrk() -> None:
    """Require that wrk is installed.

    Raises:
        SystemExit: it is not.
    """
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is needed to make the load: install the package wrk (apt install wrk, brew install wrk)")


def send(process: Process, request: Request) -> httpx2.Response:
    """Send one request."""
    return httpx2.request(
        request.method,
        f"http://127.0.0.1:{process.port}{request.target}",
        headers=dict(request.headers),
        content=request.body.replace(ID, "1").encode(),
        timeout=120,
    )


def check(process: Process, request: Request, expects: str) -> None:
    """Require a correct response before requests are timed.

    Raises:
        ValueError: it is wrong.
    """
    response = send(process, request)
    text = response.text
    is_error = '"isError":true' in text or '"error":' in text
    if response.status_code != 200 or is_error or expects not in text:
        raise ValueError(f"wrong answer {response.status_code}: {text[:300]}")


def fire(process: Process, request: Request, *, seconds: float, connections: int) -> Load:
    """Send a request repeatedly for a duration, which is extended if no response arrives within it.

    Raises:
        ValueError: a response was not a success, or none arrived.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_script(request))
        script.flush()
        for window in (seconds, 5 * seconds, 25 * seconds):
            load = _window(process, Path(script.name), window, connections)
            if load is not None:
                return load
    raise ValueError(f"no call was done within {25 * seconds:g} seconds")


def _window(process: Process, script: Path, seconds: float, connections: int) -> Load | None:
    before = process.cpu_seconds
    output, own = _wrk(process.port, script, seconds, connections)
    spent = process.cpu_seconds - before
    if "Non-2xx" in output or "Socket errors" in output:
        raise ValueError(f"some calls failed:\n{output}")
    completed = _COMPLETED.search(output)
    if completed is None or completed[1] == "0":
        return None
    return Load(int(completed[1]), seconds, spent, own, _seconds(_MEDIAN, output), _seconds(_LATE, output))


def _wrk(port: int, script: Path, seconds: float, connections: int) -> tuple[str, float]:
    window = [f"-d{seconds:g}s", "-t1", f"-c{connections}", "--timeout", "60s", "--latency"]
    command = ["wrk", *window, "-s", str(script), f"http://127.0.0.1:{port}"]
    import resource  # noqa: PLC0415 - Unix only, as is wrk

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return output, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _script(request: Request) -> str:
    """Return the wrk script of a request, in Lua; each request gets its own id."""
    head, _, tail = request.body.partition(ID)
    headers = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in request.headers.items())
    if not request.body:
        return f'wrk.method = "{request.method}"\nwrk.path = "{request.target}"\n{headers}\n'
    number = "number" if tail else '""'
    return (
        f"local number = 0\nlocal head = [==[{head}]==]\nlocal tail = [==[{tail}]==]\n{headers}\n"
        "request = function()\n  number = number + 1\n"
        f'  return wrk.format("{request.method}", "{request.target}", nil, head .. {number} .. tail)\nend\n'
    )


def _seconds(pattern: re.Pattern[str], output: str) -> float:
    match = pattern.search(output)
    return float(match[1]) * _UNITS[match[2]] if match else 0.0
