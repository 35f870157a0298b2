"""toolway; ``TOOLWAY_FAST_LANE`` in the environment selects the lane."""

from benchmarks.speed.app import make_app
from benchmarks.speed.servers.served import serve
from toolway import Toolway

serve(Toolway(make_app(), catalog="list").mount().app)
