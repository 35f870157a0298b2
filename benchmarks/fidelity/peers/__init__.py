"""The servers to be scored: a few lines each, in the way that the project's own documentation shows.

They run where the peer is installed, so they import FastAPI, uvicorn, the suite's applications and the peer alone.
"""
