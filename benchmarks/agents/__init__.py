"""The cost of tools for agents: tokens, round trips and time."""
