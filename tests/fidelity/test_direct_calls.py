"""Direct calls are used for most tools, and the suite passes without the package that makes them."""

from __future__ import annotations

import subprocess
import sys

import httpx2
import pytest

from tests.calls.stack import require_direct_calls
from tests.fidelity.test_fidelity import APPLICATIONS, SETTINGS
from tests.support import ROOT
from toolway import Toolway
from toolway.calls.direct.dispatch import DirectDispatch
from toolway.calls.direct.injected import InjectedEndpoint

WITHOUT_PACKAGE = """
import sys
import pytest

sys.modules["toolway.calls.direct"] = None  # importing it raises ModuleNotFoundError
code = pytest.main(sys.argv[1:])
assert not any(name.startswith("toolway.calls.direct.") for name in sys.modules)
sys.exit(code)
"""


@require_direct_calls
@pytest.mark.filterwarnings("ignore:Duplicate Operation ID:UserWarning")  # one route, several methods
async def test_three_of_four_tools_are_called_without_the_stack_where_nothing_records() -> None:
    app = APPLICATIONS["main"].make(records=False)
    catalog = Toolway(app, settings=SETTINGS[True]).mount().read_catalog()
    await httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://localhost").get("/journal")
    path = DirectDispatch(app)
    found = [path.endpoint(tool.operation, app) for tool in catalog.tools.values()]
    assert len(found) - found.count(None) > len(found) * 3 / 4
    assert sum(isinstance(one, InjectedEndpoint) for one in found) > len(found) / 4


@pytest.mark.timeout(300)
def test_the_suite_passes_without_the_package() -> None:
    selection = ["tests/fidelity/test_fidelity.py", "-k", "directly and 2026 and main"]
    command = [sys.executable, "-c", WITHOUT_PACKAGE, "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *selection]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-1000:]
