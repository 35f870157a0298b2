"""Tools as Python functions: their JSON Schemas as signatures and types."""

from toolway.catalog.stubs.signature import Signature, read_signatures, write_signature, write_stub

__all__ = ["Signature", "read_signatures", "write_signature", "write_stub"]
