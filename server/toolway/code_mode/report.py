"""Results of programs, for the agents that wrote them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any, cast

from toolway.calls import Outcome
from toolway.catalog.stubs import Signature
from toolway.code_mode.program import Program
from toolway.code_mode.sandbox import CheckError, Finished, ProgramError
from toolway.code_mode.tool_module import find_signatures
from toolway.content import TextContent

__all__ = ["report_check", "report_failure", "report_result"]

_MOST_PROBLEMS = 10
_NOTE_BYTES = 100
_LONGEST_LINE = 200
_LONGEST_PROBLEM = 1000
_LONGEST_OUTPUT = 4000
_IMPORT = re.compile(r"has no member `(\w+)`")
_EMPTY = "The program has no result: print it, or make it the last expression."


def report_result(end: Finished, program: Program, most_bytes: int) -> Outcome:
    """Return what a program has printed, and the value of its last expression.

    Raises:
        ProgramError: the value cannot be written as JSON.
    """
    text = program.output + ("" if end.value is None else _write_value(end.value))
    if program.cut_characters or len(text) > most_bytes:
        kept = text[: max(0, most_bytes - _NOTE_BYTES)]
        more = program.cut_characters + len(text) - len(kept)
        text = f"{kept}\n[{more:,} more characters were cut off; select the values that you need]"
    return Outcome((TextContent(text=text or _EMPTY),))


def report_check(
    error: CheckError, code: str, signatures: Mapping[str, Signature], explain_import: Callable[[str], str]
) -> Outcome:
    """Return why a program was not run, with its lines and the signatures of the tools that they call."""
    lines = code.splitlines()
    problems = error.problems[:_MOST_PROBLEMS]
    parts = ["The program was not run, and no tool was called:"]
    for line, group in groupby(problems, key=lambda problem: problem[0]):
        for _, problem in group:
            missing = _IMPORT.search(problem) if "`tools`" in problem else None
            reason = explain_import(missing[1]) if missing else _shorten(problem, _LONGEST_PROBLEM)
            parts.append(f"Line {line}: {reason}")
        if 0 < line <= len(lines):
            parts.append(f"    {_shorten(lines[line - 1].strip(), _LONGEST_LINE)}")
    if len(error.problems) > _MOST_PROBLEMS:
        parts.append(f"... and {len(error.problems) - _MOST_PROBLEMS} more problems")
    parts += find_signatures(signatures, "\n".join(parts))
    facts = [{"line": line, "message": _shorten(problem, _LONGEST_PROBLEM)} for line, problem in problems]
    return Outcome((TextContent(text="\n".join(parts)),), error={"status": None, "problems": facts})


def report_failure(problem: str, program: Program) -> Outcome:
    """Return how a program has failed, what it has printed, and every call that it made before."""
    calls = list(program.calls.values())
    problem = _shorten(problem, _LONGEST_PROBLEM)
    parts = [f"The program failed. {problem}"]
    if program.output:
        parts += ["It printed:", _shorten(program.output.rstrip(), _LONGEST_OUTPUT)]
    if calls:
        parts.append("It made these calls:")
        parts += [f"{at}. {call.describe()}" for at, call in enumerate(calls, 1)]
    else:
        parts.append("It called no tool.")
    facts = [{"tool": call.function, "status": call.status} for call in calls]
    return Outcome((TextContent(text="\n".join(parts)),), error={"status": None, "detail": problem, "calls": facts})


def _shorten(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}..."


def _write_value(value: Any) -> str:
    try:
        # Only the standard library refuses integers that take minutes to write.
        return value if isinstance(value, str) else _ENCODER.encode(value)
    except (ValueError, TypeError, RecursionError) as error:
        raise ProgramError(f"The value of the last expression cannot be written as JSON: {error}") from error


def _convert(value: Any) -> Any:
    """Return what stands for a value that JSON does not have: the fields of an object of the program, or its text."""
    if isinstance(value, set | frozenset):
        return list(cast("set[Any]", value))
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    attributes: Any = getattr(value, "attributes", None)
    return cast("dict[str, Any]", attributes) if isinstance(attributes, dict) else str(value)


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_convert)
