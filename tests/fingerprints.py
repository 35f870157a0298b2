"""Compare the FastAPI and Starlette functions that direct calls rely on with the recorded ones, and record them.

    python -m tests.fingerprints [--record] [fastapi==VERSION starlette==VERSION]

Prints what has changed in each function whose source text is not known, as a diff from the versions recorded last.
Review it against ``server/toolway/calls/direct``, run the tests of ``tests/calls``, then record. Without versions, the
installed ones are compared. Other versions are installed into a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff
from functools import cache
from importlib.metadata import version
from pathlib import Path

from tests.support import ROOT
from toolway.calls.direct.fingerprints import Known, fingerprint, known_fingerprints

FILE = ROOT / "server" / "toolway" / "calls" / "direct" / "fingerprints.json"
PRINT_SOURCES = (
    "import json; from toolway.calls.direct.fingerprints import known_fingerprints, source_of; "
    "print(json.dumps({name: source_of(name) for name in known_fingerprints()}))"
)


def main(arguments: Sequence[str]) -> int:
    """Print what has changed; return 1 if that has not been recorded."""
    parser = argparse.ArgumentParser(prog="python -m tests.fingerprints", description="Review and record fingerprints.")
    parser.add_argument("versions", nargs="*", metavar="NAME==VERSION", help="defaults to the installed versions")
    parser.add_argument("--record", action="store_true", help="record what has been reviewed")
    options = parser.parse_args(arguments)
    installed = [f"{name}=={version(name)}" for name in ("fastapi", "starlette")]
    versions = " ".join(options.versions or installed)
    known = known_fingerprints()
    sources = sources_of(versions)
    changed = [name for name, source in sources.items() if fingerprint(source) not in known[name]]
    for name in changed:
        print("".join(diff(name, known[name], sources[name], versions)))
    if options.record:
        record(known, {name: sources[name] for name in changed}, versions)
        print(f"Recorded {len(changed)} functions of {versions}.")
        return 0
    print(f"{len(changed)} of {len(known)} functions of {versions} differ from the recorded ones.")
    return int(bool(changed))


@cache
def sources_of(versions: str) -> Mapping[str, str]:
    """Return the source text of each function in some versions of FastAPI and Starlette."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(f"{folder}/venv", with_pip=True)
        pip = [f"{folder}/venv/bin/python", "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-deps", "--target", f"{folder}/packages", *versions.split()], check=True)
        paths = (f"{folder}/packages", str(ROOT / "server"))
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        command = [sys.executable, "-c", PRINT_SOURCES]
        return json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout)


def diff(name: str, known: Mapping[str, str], source: str, versions: str) -> Iterator[str]:
    """Yield the lines of a diff from the version of a function that was recorded last."""
    last = list(known.values())[-1] if known else ""
    before = sources_of(last)[name] if last else ""
    yield from unified_diff(
        before.splitlines(keepends=True),
        source.splitlines(keepends=True),
        f"{name} ({last or 'not recorded'})",
        f"{name} ({versions})",
    )


def record(known: Known, sources: Mapping[str, str], versions: str, file: Path = FILE) -> None:
    """Add the fingerprints of these functions to the recorded ones."""
    found = {name: {fingerprint(source): versions} for name, source in sources.items()}
    merged = {name: {**prints, **found.get(name, {})} for name, prints in sorted(known.items())}
    file.write_text(json.dumps(merged, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
