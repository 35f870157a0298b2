"""The domain operations: ordinary FastAPI endpoints that agents call as tools, one folder per domain."""
