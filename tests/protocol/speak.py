"""Serves the application of these tests over stdio: `python -m tests.protocol.speak module:factory`."""

from __future__ import annotations

import sys
from importlib import import_module

import anyio

from toolway import Toolway
from toolway.app import engine_of
from toolway.protocol import standard_streams


async def main(name: str) -> None:
    async with standard_streams() as serve:
        print("a line that start-up code prints, and that must not reach the client")
        module, _, factory = name.partition(":")
        app = getattr(import_module(module), factory)()
        async with engine_of(Toolway(app, name="things")).run() as running:
            await serve(running.server)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1])
