"""What a tool call costs beside the plain HTTP call of the same endpoint, here and at others."""
