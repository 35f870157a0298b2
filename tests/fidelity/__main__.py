"""Play the suite against any MCP server that stands in front of its applications, and print the score.

    python -m tests.fidelity --mcp http://127.0.0.1:8000/mcp --http http://127.0.0.1:8000 [--app main] [--mode legacy]

The plain requests go to the second address. `tests.fidelity.apps` makes the applications to serve there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio

from tests.fidelity.apps import APPLICATIONS
from tests.fidelity.case import Chapter
from tests.fidelity.player import Caller, Verdict, over_http, play, web_client
from tests.fidelity.score import report


def main() -> int:
    """Play, print, and say by the exit code whether every case was good."""
    options = _options()
    verdicts = anyio.run(_played, options)
    print(file=sys.stderr)
    print("\n".join(report(verdicts)))
    if options.json:
        told = [{"chapter": v.chapter, "case": v.name, "problems": list(v.problems)} for v in verdicts]
        options.json.write_text(json.dumps(told, indent=1), encoding="utf-8")
    return int(any(not verdict.is_good for verdict in verdicts))


async def _played(options: argparse.Namespace) -> Sequence[Verdict]:
    caller = Caller()
    async with web_client(options.http, caller) as web, over_http(options.mcp, options.mode, caller) as client:
        return await play(client, web, caller, _chapters(options), progress=_show)


def _chapters(options: argparse.Namespace) -> list[Chapter]:
    return [chapter for chapter in APPLICATIONS[options.app] if options.chapter in (None, chapter.title)]


def _show(verdict: Verdict) -> None:
    print("." if verdict.is_good else "F", end="", file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fidelity", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--mcp", required=True, help="the URL of the MCP server")
    parser.add_argument("--http", required=True, help="the base URL of the application itself")
    parser.add_argument("--app", choices=sorted(APPLICATIONS), default="main")
    parser.add_argument("--chapter", choices=_titles(), metavar="TITLE", help="only this one, such as 'JSON bodies'")
    parser.add_argument("--mode", default="auto", help="auto, legacy, or a revision such as 2026-07-28")
    parser.add_argument("--json", type=Path, help="a file for every verdict")
    return parser.parse_args()


def _titles() -> list[str]:
    return sorted({chapter.title for chapters in APPLICATIONS.values() for chapter in chapters})


if __name__ == "__main__":
    sys.exit(main())
