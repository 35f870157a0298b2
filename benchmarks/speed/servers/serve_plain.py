"""The endpoints alone."""

from benchmarks.speed.app import make_app
from benchmarks.speed.servers.served import serve

serve(make_app())
