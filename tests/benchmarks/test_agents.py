"""`python -m benchmarks.agents` prints the tokens of each profile for a folder of OpenAPI documents."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

from fastapi import FastAPI

ROOT = Path(__file__).parents[2]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "benchmarks.agents", *map(str, arguments)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


def test_each_document_has_a_row(tmp_path: Path) -> None:
    app = FastAPI(title="Shop")

    @app.get("/stock")
    async def stock(product: str) -> int:
        return 1

    (tmp_path / "shop.json.gz").write_bytes(gzip.compress(json.dumps(app.openapi()).encode()))

    done = run(tmp_path)

    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ")[:2] for line in done.stdout.splitlines() if line.startswith("| ")]
    assert ["| shop", "1"] in rows
    assert ["| demo application", "19"] in rows


def test_a_folder_without_documents_is_an_error(tmp_path: Path) -> None:
    for folder, reason in ((tmp_path, "has no *.json or *.json.gz files"), (tmp_path / "none", "is not a folder")):
        done = run(folder)
        assert done.returncode == 1
        assert done.stderr == f"{str(folder)!r} {reason}; expected a folder of OpenAPI documents\n"
