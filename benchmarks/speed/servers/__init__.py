"""The servers that are compared: a few lines each, run where the library is installed.

They import the standard library, FastAPI and the library alone.
"""
