"""What `make bench` measures is still there to be measured."""

from __future__ import annotations

from benchmarks.speed.profile import profile


def test_every_step_of_a_call_is_profiled() -> None:
    found = profile(batches=3)
    assert len(found) > 10
    assert all(0 < seconds < float("inf") for seconds in found.values())
