"""Send mutated requests to both lanes, and show where they differ.

python -m tests.lanes [--count 100000] [--seed 1] [--first 0]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.lanes.clock import run
from tests.lanes.exchange import Request
from tests.lanes.fuzz import Mutated, mutated
from tests.lanes.pair import Pair, Verdict, pair
from tests.lanes.requests import BASES, Base
from tests.lanes.shrinking import shrunk

_MOST_SHOWN = 20
_EVERY = 1000


@dataclass
class Tally:
    """How many requests of each kind there were, and how many of them the fast lane answered by itself."""

    sent: Counter[str] = field(default_factory=Counter[str])
    fast: Counter[str] = field(default_factory=Counter[str])
    permitted: Counter[str] = field(default_factory=Counter[str])
    different: int = 0

    def add(self, verdict: Verdict, *kinds: str) -> None:
        self.sent.update(("all", *kinds))
        if verdict.was_fast:
            self.fast.update(("all", *kinds))
        if verdict.permitted:
            self.permitted[verdict.permitted.name] += 1
        self.different += bool(verdict.differences)

    def report(self) -> Iterator[str]:
        """Yield lines."""
        for kind, count in sorted(self.sent.items(), key=lambda entry: (entry[0] != "all", entry[0])):
            yield f"{kind:<50} {count:>7,} sent, {self.fast[kind]:>7,} answered by the fast lane"
        for name, count in self.permitted.most_common():
            yield f"permitted: {name:<39} {count:>7,}"
        yield f"{'differences':<50} {self.different:>7,}"


def main() -> int:
    """Run, print the counts, and return the exit code: 0 if nothing differed."""
    options = _options()
    tally = run(_compared(options.seed, options.first, options.count))
    print("\n".join(tally.report()))
    return int(tally.different > 0)


async def _compared(seed: int, first: int, count: int) -> Tally:
    tally, began = Tally(), time.monotonic()
    async with pair() as both:
        for base in BASES:
            verdict = await both.verdict(base.request)
            tally.add(verdict, f"as it is: {base.kind}")
            if verdict.differences:
                await _show(both, "as it is", base, base.request)
        for number in range(first, first + count):
            case = mutated(seed, number)
            verdict = await both.verdict(case.request)
            tally.add(verdict, f"mutated: {case.base.kind}", *(f"by {name}" for name in case.mutations))
            if verdict.differences and tally.different <= _MOST_SHOWN:
                await _show(both, f"number {number}", case, case.request)
            if number % _EVERY == 0:
                told = f"{number - first:,} of {count:,}, {tally.different:,} different"
                print(f"{told}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return tally


async def _show(both: Pair, which: str, origin: Base | Mutated, request: Request) -> None:
    async def differs(smaller: Request) -> bool:
        return bool((await both.verdict(smaller)).differences)

    request = await shrunk(request, differs)
    found = (await both.verdict(request)).differences
    print(f"--- {which}: {origin}", request, "", *found, sep="\n", end="\n\n", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.lanes", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--count", type=int, default=100_000, help="how many requests")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other requests")
    parser.add_argument("--first", type=int, default=0, help="the number of the first request")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
