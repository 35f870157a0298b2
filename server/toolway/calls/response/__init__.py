"""An HTTP response to the outcome of a tool call."""
