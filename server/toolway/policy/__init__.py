"""What happens around a tool call before it runs."""
