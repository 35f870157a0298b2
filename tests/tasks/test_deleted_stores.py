"""A task store that is deleted while the server is running."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.protocol.tasking import Client, make_tasking
from tests.servers import serving
from toolway import Settings
from toolway.tasks.keys import key_path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("deleted") / "var" / "tasks.db"


@pytest.fixture(scope="module")
def client(store: Path) -> Iterator[Client]:
    with serving(make_tasking(Settings(store_url=f"sqlite:///{store}"))) as url:
        yield Client(url)


def delete_folder(store: Path) -> None:
    shutil.rmtree(store.parent)


@pytest.mark.parametrize("delete", [Path.unlink, delete_folder], ids=["file", "folder"])
def test_the_next_task_runs_and_its_message_reports_the_loss(
    store: Path, client: Client, delete: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    lost = client.start("add", first=1, second=2)["taskId"]
    client.wait(lost)
    key = key_path(store).read_bytes()
    delete(store)
    task = client.start("add", first=2, second=3)
    assert "was deleted while the server was running" in task["statusMessage"]
    ended = client.wait(task["taskId"])
    assert ended["result"]["structuredContent"] == {"sum": 5}
    assert "statusMessage" not in ended
    assert "the task store was deleted" in client.refusal("tasks/get", lost)["message"]
    assert "statusMessage" not in client.start("add", first=3, second=4)
    assert key_path(store).read_bytes() == key
    assert str(store) in caplog.text
