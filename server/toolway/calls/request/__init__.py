"""Tool arguments to an HTTP request."""
