"""Two applications with tasks in one process, which can have one DBOS instance."""

from __future__ import annotations

from pathlib import Path

from tests.protocol.tasking import DECLARED, Client, make_tasking
from tests.servers import serving
from toolway import Settings


def test_the_second_store_has_no_tasks_until_the_first_application_ends(
    tmp_path: Path,
) -> None:
    settings = [
        Settings.model_validate(
            {"store_url": f"sqlite:///{tmp_path}/{name}.db", "state_keys": [f"the secret of {name}, long enough"]}
        )
        for name in ("first", "second")
    ]
    with serving(make_tasking(settings[1])) as other_url:
        other = Client(other_url)
        with serving(make_tasking(settings[0])) as url:
            client = Client(url)
            task = client.start("add", first=1, second=2)["taskId"]
            assert client.wait(task)["result"]["structuredContent"] == {"sum": 3}
            assert other.refusal("tasks/get", task)["message"] == "Unknown task; it may have expired."
            assert other.start("add", first=2, second=3)["structuredContent"] == {"sum": 5}
            error = other.peer.refusal("tools/call", {"name": "refuse", "arguments": {}, **DECLARED})
            assert error["message"] == (
                "This server cannot run tasks: DBOS already runs the tasks of another application in this process"
            )
        task = other.start("add", first=3, second=4)["taskId"]
        assert other.wait(task)["result"]["structuredContent"] == {"sum": 7}
