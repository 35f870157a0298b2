"""The handlers of MCP methods, one module per method family."""
