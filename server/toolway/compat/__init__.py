"""Interfaces of other packages, for applications that migrate to toolway."""
