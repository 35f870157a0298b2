"""The official conformance suite, and what it tests: an application that uses toolway's public names only."""
