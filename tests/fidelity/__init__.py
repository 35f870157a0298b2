"""Whether a tool call is the HTTP request: FastAPI's whole surface, endpoint shape by endpoint shape.

Each chapter is a router with its cases. A case is a tool call and the plain HTTP request that it stands for; the
request is the oracle.

`judge` compares the two, `player` plays a suite against any MCP server, and ``python -m tests.fidelity`` does so for a
URL. The applications use FastAPI alone, so that any server can be put in front of them.
"""
