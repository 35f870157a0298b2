"""The sandbox: programs in pydantic-monty, in worker processes that are kept for the next program.

This is the only module that imports pydantic-monty. Programs reach nothing but the functions of the module ``tools``:
files, the network and the environment do not exist for them. https://github.com/pydantic/monty
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from toolway.errors import ConfigurationError

if TYPE_CHECKING:
    from pydantic_monty import (
        AsyncFunctionSnapshot,
        AsyncMonty,
        AsyncMontySession,
        AsyncSnapshot,
        ExternalModule,
        ExternalSettledResult,
        MontyComplete,
        MontyRuntimeError,
    )

__all__ = ["CheckError", "Finished", "Host", "Limits", "Paused", "ProgramError", "Reply", "Sandbox"]

_MOST_WORKERS = 8
_GRACE_SECONDS = 5
"""How long a worker may take longer than its program may compute, such as for checking types, before it is killed."""
_PRELUDE = """
import json as _json
class _Tool:
    def __init__(self, name):
        self.name = name
    async def __call__(self, *args, **kwargs):
        text = _call(self.name, _json.dumps([args, kwargs]))
        return _json.loads(text if isinstance(text, str) else await text)
_tools = [_Tool(name) for name in _names]
_tools
"""
"""Arguments and results pass as JSON text, which takes a tenth of the time of Python values for large results."""
_CHECKED_LINE = re.compile(r"program\.py:(\d+):\d+: \w+\[[\w-]+\] (.*)")
_LONGEST_SLEEP = 3600.0
_ANSWERED_BY_SANDBOX = frozenset({"import", "import_stubs"})
_PROGRAM_FILE = "<python-input-1>"
"""The name of a program in tracebacks; the prelude is input 0."""

_Start: TypeAlias = "Callable[[AsyncMontySession], Awaitable[AsyncSnapshot]]"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one program."""

    seconds: float = 30
    """The time that a program may take, without the time in which the user is asked."""
    compute_seconds: float = 5
    memory_bytes: int = 100_000_000
    calls: int = 100
    output_bytes: int = 100_000
    """The most bytes that a program may print or return; the rest is cut off."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The end of one call: its result as JSON, or the text of its error."""

    result: str | None = None
    error: str = ""


class Host(Protocol):
    """Makes the calls of a program, and receives its output."""

    async def call(self, call_id: int, function: str, arguments: str) -> Reply | None:
        """Make a call; return None if it has to wait for an answer of the user.

        Args:
            call_id: a number that the program has given to the call.
            function: the name of the function.
            arguments: positional and named arguments as JSON.
        """
        ...

    async def call_again(self, call_id: int) -> Reply | None:
        """Make a call again that has waited for an answer."""
        ...

    def print(self, stream: str, text: str) -> None:
        """Receive output; it may be called in any thread."""
        ...


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a program."""

    value: Any
    """The value of its last expression."""


@dataclass(frozen=True, slots=True)
class Paused:
    """A program that cannot continue before the user has answered."""

    snapshot: bytes


class CheckError(Exception):
    """A program that was not run: it does not match the types of the functions that it calls, or is not valid Python.

    Args:
        problems: the lines, counted from 1, and what is wrong there.
    """

    def __init__(self, problems: Sequence[tuple[int, str]]) -> None:
        super().__init__("; ".join(f"line {line}: {text}" for line, text in problems))
        self.problems = problems


class ProgramError(Exception):
    """A program that has failed, or was stopped."""


class Sandbox:
    """Runs programs in worker processes.

    Args:
        limits: the limits of each program.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._pool: AsyncMonty | None = None
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()

    async def run(self, code: str, functions: Sequence[str], stub: str, host: Host) -> Finished | Paused:
        """Check a program against the types of its functions, and run it.

        Args:
            code: the source of the program.
            functions: the names of the functions in the module ``tools``.
            stub: the types of this module.
            host: makes the calls.

        Raises:
            CheckError: it was not run.
            ProgramError: it has failed.
        """
        from pydantic_monty import ExternalModule  # noqa: PLC0415 - an extra that only code mode needs

        async def start(session: AsyncMontySession) -> AsyncSnapshot:
            inputs = {"_names": list(functions), "_call": _call}
            callables: list[Any] = await session.feed_run(_PRELUDE, inputs=inputs, skip_type_check=True)
            modules["tools"] = ExternalModule(dict(zip(functions, callables, strict=True)), stubs=stub)
            return await session.feed_start(code, print_callback=host.print)

        modules: dict[str, ExternalModule] = {}
        # Nothing but asyncio runs two calls at once, and a call that runs alone needs one message less.
        return await self._execute(start, modules, _Drive(host, is_concurrent="asyncio" in code))

    async def resume(self, snapshot: bytes, host: Host) -> Finished | Paused:
        """Continue a paused program in any worker, of this or another process.

        Args:
            snapshot: the snapshot; it must come from this server, as it is not checked.
            host: makes the calls.

        Raises:
            ProgramError: the program has failed.
        """

        async def start(session: AsyncMontySession) -> AsyncSnapshot:
            return await session.load_snapshot(snapshot, print_callback=host.print)

        return await self._execute(start, {}, _Drive(host, is_concurrent=True))

    async def close(self) -> None:
        """End all workers; another program starts new ones."""
        if self._pool is None:
            return
        self._pool, self._opening = None, asyncio.Lock()
        await self._stack.aclose()
        # Its threads drop their last references to Python objects now; at interpreter exit that aborts the process.
        await asyncio.wait({asyncio.get_running_loop().create_future()}, timeout=0.05)

    async def _execute(self, start: _Start, modules: Mapping[str, ExternalModule], drive: _Drive) -> Finished | Paused:
        from pydantic_monty import MontyCrashedError, MontyRuntimeError, MontySyntaxError, MontyTypingError  # noqa: PLC0415

        limits = self.limits
        pool = await self._open_pool()
        session = pool.checkout(
            script_name="program.py",
            limits={
                "max_feed_duration_secs": limits.compute_seconds,
                "max_memory": limits.memory_bytes,
                "max_suspensions": 20 * limits.calls + 1000,
            },
            type_check=True,
            type_check_format="concise",
            os_policy={"sleep": "call_host"},
            external_modules=modules,
        )
        try:
            async with session:
                return await drive.run(await start(session))
        except (MontyTypingError, MontySyntaxError) as error:
            raise CheckError(_read_problems(str(error))) from error
        except MontyRuntimeError as error:
            raise ProgramError(_describe_failure(error)) from error
        except MontyCrashedError as error:
            reason = "it computed for too long" if error.timed_out else "its worker process ended"
            raise ProgramError(f"The program was stopped: {reason}.") from error

    async def _open_pool(self) -> AsyncMonty:
        async with self._opening:
            if self._pool is None:
                try:
                    from pydantic_monty import AsyncMonty  # noqa: PLC0415 - an extra that only code mode needs
                except ModuleNotFoundError as error:
                    raise ConfigurationError("code mode needs pydantic-monty: pip install 'toolway[code]'") from error
                timeout = self.limits.compute_seconds + _GRACE_SECONDS
                pool = AsyncMonty(max_processes=_MOST_WORKERS, request_timeout=timeout)
                self._pool = await self._stack.enter_async_context(pool)
            return self._pool


class _Drive:
    """Answers a program each time that it waits for something outside of the sandbox."""

    def __init__(self, host: Host, *, is_concurrent: bool) -> None:
        self._host = host
        self._is_concurrent = is_concurrent
        self._tasks: dict[int, asyncio.Task[Reply | None]] = {}
        """Calls and sleeps that have not ended."""
        self._waiting: set[int] = set()
        """Calls that wait for the user."""

    async def run(self, step: AsyncSnapshot) -> Finished | Paused:
        from pydantic_monty import AsyncFunctionSnapshot, AsyncNameLookupSnapshot, MontyComplete  # noqa: PLC0415

        try:
            while not isinstance(step, MontyComplete):
                if isinstance(step, AsyncFunctionSnapshot):
                    step = await self._answer_call(step)
                elif isinstance(step, AsyncNameLookupSnapshot):
                    step = await step.resume()
                elif replies := await self._wait(step.pending_call_ids):
                    step = await step.resume(replies)
                else:
                    return Paused(step.dump())
            return Finished(_read_value(step))
        finally:
            await self._cancel()

    async def _answer_call(self, step: AsyncFunctionSnapshot) -> AsyncSnapshot:
        name, call_id = step.function_name, step.call_id
        if name in _ANSWERED_BY_SANDBOX:
            return await step.resume_auto()
        if name == "time.sleep":
            return await step.resume(_settle(await _sleep(*step.args, *step.kwargs.values())))
        if name == "asyncio.sleep":
            self._begin(call_id, _sleep(*step.args, *step.kwargs.values()))
        elif step.is_os_function:
            return await step.resume_not_handled()
        elif name != _call.__name__:  # any name that is not defined
            return await step.resume({"exc_type": "NameError", "message": f"name {name!r} is not defined"})
        elif self._is_concurrent:
            self._begin(call_id, self._host.call(call_id, *_read_arguments(step.args)))
        elif reply := await self._host.call(call_id, *_read_arguments(step.args)):
            return await step.resume(_settle(reply))
        else:
            self._waiting.add(call_id)
        return await step.resume({"future": ...})

    def _begin(self, call_id: int, work: Coroutine[Any, Any, Reply | None]) -> None:
        self._tasks[call_id] = asyncio.create_task(work)

    async def _wait(self, call_ids: Collection[int]) -> dict[int, ExternalSettledResult]:
        """Return the replies to calls as soon as there are any; none if all of them wait for the user."""
        for call_id in call_ids:
            if call_id not in self._tasks and call_id not in self._waiting:  # from before the program was paused
                self._begin(call_id, self._host.call_again(call_id))
        replies: dict[int, ExternalSettledResult] = {}
        while self._tasks and not replies:
            await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
            for call_id in [call_id for call_id, task in self._tasks.items() if task.done()]:
                reply = self._tasks.pop(call_id).result()
                if reply is None:
                    self._waiting.add(call_id)
                else:
                    replies[call_id] = _settle(reply)
        return replies

    async def _cancel(self) -> None:
        """Stop what the program does not wait for any more."""
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values())


def _call() -> None:
    """Stand for the function that makes calls; the sandbox reports calls of it by its name."""


async def _sleep(seconds: object = 0, *_: object) -> Reply:
    delay = seconds if isinstance(seconds, (int, float)) else 0
    await asyncio.wait({asyncio.get_running_loop().create_future()}, timeout=min(max(0, delay), _LONGEST_SLEEP))
    return Reply()


def _settle(reply: Reply) -> ExternalSettledResult:
    if reply.error:
        return {"exc_type": "RuntimeError", "message": reply.error}
    return {"return_value": reply.result}


def _read_arguments(values: tuple[Any, ...]) -> tuple[str, str]:
    function, arguments = (value if isinstance(value, str) else "" for value in (*values, "", "")[:2])
    return function, arguments


def _read_value(complete: MontyComplete) -> Any:
    try:
        return complete.output
    except Exception as error:  # a value that Python cannot have, such as an integer with too many digits
        raise ProgramError(f"The value of the last expression cannot be returned: {error}") from error


def _read_problems(diagnostics: str) -> list[tuple[int, str]]:
    found = [(int(match[1]), match[2]) for match in _CHECKED_LINE.finditer(diagnostics)]
    return found or [(1, diagnostics.strip())]


def _describe_failure(error: MontyRuntimeError) -> str:
    """Return the message of an exception, with the line of the program that raised it."""
    frames = [frame for frame in error.traceback() if frame.filename == _PROGRAM_FILE]
    text = error.display("type-msg")
    if not frames:
        return text
    line = frames[-1].source_line
    return f"Line {frames[-1].line}: {text}" + (f"\n    {line.strip()}" if line else "")
