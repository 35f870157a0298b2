"""Programs that attack the sandbox of code mode. All of them have to fail, and the server has to keep working."""

from __future__ import annotations

__all__ = ["ATTACKS"]

NOT_RUN = "The program was not run, and no tool was called:"
NO_FILE = "PermissionError: Permission denied"
NO_ATTRIBUTE = "AttributeError: "

_MANY_BRANCHES = (
    "def f(n: int) -> int:\n    x = 0\n"
    + "".join(f"    if n == {at}:\n        x = {at}\n" for at in range(2500))
    + "    return x\nf(1)"
)

# `exec` runs a text that was not checked against the types.
REACHING_OUT = {
    "read a file": ("import pathlib\npathlib.Path('/etc/passwd').read_text()", NO_FILE),
    "read a file, unchecked": ("exec(\"open('/etc/passwd').read()\")", NO_FILE),
    "write a file": ("import pathlib\npathlib.Path('/tmp/written').write_text('x')", NO_FILE),
    "list a directory": ("import pathlib\nlist(pathlib.Path('/').iterdir())", NO_FILE),
    "read the environment": ("import os\nos.environ['HOME']", "'os.environ' is not supported"),
    "read a variable": ("import os\nos.getenv('HOME')", "'os.getenv' is not supported"),
    "open a socket": ("import socket", NOT_RUN),
    "open a socket, unchecked": ("exec('import socket')", "No module named 'socket'"),
    "send a request": ("import urllib.request", NOT_RUN),
    "start a process": ("exec('import subprocess')", "No module named 'subprocess'"),
    "run a command": ("exec('import os; os.system(\"id\")')", NO_ATTRIBUTE),
    "call foreign code": ("exec('import ctypes')", "No module named 'ctypes'"),
    "install a package": (
        "# /// script\n# dependencies = ['requests']\n# ///\nexec('import requests')",
        "No module named",
    ),
    "import by name": ("exec('__import__(\"os\")')", "NameError: name '__import__' is not defined"),
    "find classes": ("exec('().__class__.__mro__[1].__subclasses__()')", NO_ATTRIBUTE),
    "find classes by a format": ("exec('\"{0.__class__}\".format(1)')", NO_ATTRIBUTE),
    "find the globals of the host": ("exec('_call.__globals__')", NO_ATTRIBUTE),
    "find the builtins": ("exec('__builtins__')", "NameError: "),
    "find the modules": ("exec('import sys; sys.modules')", NO_ATTRIBUTE),
    "find the frames": ("exec('import inspect')", "No module named 'inspect'"),
}
EXHAUSTING = {
    "compute for ever": ("while True:\n    pass", "time limit exceeded"),
    "compute for ever, and catch everything": (
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
        "time limit exceeded",
    ),
    "compute one large power": ("7 ** (10 ** 7)", "The program "),
    "return an integer with too many digits": ("[7 ** (10 ** 5)]", "Exceeds the limit (4300 digits)"),
    "return a key with too many digits": ("{7 ** (10 ** 5): 1}", "Exceeds the limit (4300 digits)"),
    "call with an integer that has too many digits": (
        'exec(\'_call("get_order", "[" + "9" * 10**6 + "]")\')',
        "number",
    ),
    "fill the memory with a list": ("[0] * 10 ** 9", "MemoryError"),
    "fill the memory with a text": ("'x' * 10 ** 9", "MemoryError"),
    "fill the memory step by step": ("texts: list[str] = []\nwhile True:\n    texts.append('y' * 1000)", "MemoryError"),
    "recurse": ("def f(n: int) -> int:\n    return f(n + 1)\nf(0)", "RecursionError"),
    "print for ever": ("while True:\n    print('x' * 1000)", "time limit exceeded"),
    "return a deep list": ("x: object = []\nfor _ in range(100_000):\n    x = [x]\nx", "cannot be written as JSON"),
    "nest expressions": ("(" * 5000 + "1" + ")" * 5000, "too deeply nested"),
    "nest lists": ("[" * 20_000 + "]" * 20_000, "too deeply nested"),
    "add many numbers": ("+".join(["1"] * 30_000), "too deeply nested"),
    "keep the type checker busy": (_MANY_BRANCHES, "The program failed."),
    "sleep for ever": ("import time\ntime.sleep(10 ** 9)", "The program was stopped after 3 seconds."),
    "sleep for ever under asyncio": (
        "import asyncio\nawait asyncio.sleep(float('inf'))",
        "was stopped after 3 seconds.",
    ),
    "wait for the host again and again": (
        "for _ in range(10 ** 6):\n    try:\n        exec('open(\"/x\")')\n    except Exception:\n        pass",
        "suspension limit",
    ),
    "make many calls at once": (
        "import asyncio\nfrom tools import get_order\nawait asyncio.gather(*[get_order('o1') for _ in range(5000)])",
        "The program failed.",
    ),
}
DECEIVING = {
    "call a tool that does not exist": ('exec(\'_call("nothing", "[[], {}]")\')', "has not imported 'nothing'"),
    "call a function that does not exist": (
        'exec(\'nothing("get_order", "[[], {}]")\')',
        "name 'nothing' is not defined",
    ),
    "call without arguments": ("exec('_call()')", "has not imported ''"),
    "call with other types": ("exec('_call(1, 2, 3, x=4)')", "has not imported ''"),
    "call with text that is not JSON": ('exec(\'_call("get_order", "[1")\')', "get_order: EOF"),
    "call with JSON of another shape": ('exec(\'_call("get_order", "5")\')', "get_order: cannot unpack"),
    "call with not a number": ('exec(\'_call("get_order", "[[NaN], {}]")\')', "get_order: expected value"),
    "replace a function of a module": ("import json\nexec('json.loads = None')", NO_ATTRIBUTE),
    "end the interpreter": ("raise SystemExit(1)", "The program failed."),
    "interrupt the interpreter": ("raise KeyboardInterrupt", "The program failed."),
    "a NUL character": ("1\x00", NOT_RUN),
}
ATTACKS = {**REACHING_OUT, **EXHAUSTING, **DECEIVING}
"""All attacks by name: the program, and a part of the error that it ends with."""
