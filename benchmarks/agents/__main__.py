"""Print what the list of tools costs an agent, in tokens of four bytes, for each profile of schemas.

python -m benchmarks.agents FOLDER     # OpenAPI documents: *.json, *.json.gz; the demo application is always measured
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from toolway.app import engine_of
from toolway.catalog import EndpointTool, build_catalog, prepare_definitions
from toolway.catalog.schema.lean import count_tokens
from toolway.mounts import toolway_of
from toolway.openapi import read_document
from toolway.settings import SchemaProfile, Settings

_HEADINGS = ("application", "tools", "full", "without output", "lean", "largest", "portable", "strict", "seconds")


@dataclass(frozen=True)
class Measurement:
    """The tokens of one application's list of tools."""

    name: str
    tools: Mapping[str, EndpointTool]

    def definitions(self, profile: SchemaProfile) -> list[dict[str, Any]]:
        """Return the definitions that clients of MCP 2026-07-28 get."""
        settings = Settings(schemas=profile)
        return [tool.definition(wrapped=False) for tool in prepare_definitions(self.tools, settings).values()]

    def row(self) -> list[str]:
        full = self.definitions("full")
        inputs = [{key: value for key, value in entry.items() if key != "outputSchema"} for entry in full]
        started = time.perf_counter()
        lean = self.definitions("lean")
        seconds = time.perf_counter() - started
        largest = max(map(count_tokens, lean), default=0)
        sizes = [count_tokens({"tools": entries}) for entries in (full, inputs, lean)]
        others = [count_tokens({"tools": self.definitions(profile)}) for profile in ("portable", "strict")]
        numbers = [len(self.tools), *sizes, largest, *others]
        return [self.name, *(f"{number:,}" for number in numbers), f"{seconds:.2f}"]


def main() -> int:
    """Print the table; return 1 if the folder has no documents."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agents", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="a folder of OpenAPI documents: *.json or *.json.gz")
    folder: Path = parser.parse_args().folder
    documents = sorted([*folder.glob("*.json"), *folder.glob("*.json.gz")])
    if not documents:
        reason = "has no *.json or *.json.gz files" if folder.is_dir() else "is not a folder"
        print(f"{str(folder)!r} {reason}; expected a folder of OpenAPI documents", file=sys.stderr)
        return 1
    print(f"| {' | '.join(_HEADINGS)} |")
    print(f"|---{'|--:' * (len(_HEADINGS) - 1)}|")
    for measurement in (*_read_documents(documents), _read_demo()):
        print(f"| {' | '.join(measurement.row())} |", flush=True)
    print(f"\nTokens are bytes / 4. Profiles: {', '.join(get_args(SchemaProfile))}. Seconds: to make the lean list.")
    return 0


def _read_documents(paths: list[Path]) -> Iterator[Measurement]:
    for path in paths:
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        catalog = build_catalog(read_document(json.loads(text)))
        yield Measurement(path.name.partition(".")[0], catalog.tools)


def _read_demo() -> Measurement:
    from tools.main import create_app  # noqa: PLC0415 - it reads its own settings
    from tools.retail.settings import RetailSettings  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        app = create_app(RetailSettings(database_url=f"sqlite:///{folder}/orders.db"))
        return Measurement("demo application", engine_of(toolway_of(app)).source.read_catalog().tools)


if __name__ == "__main__":
    sys.exit(main())
