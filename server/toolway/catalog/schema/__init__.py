"""JSON schemas of tools: which definitions they need, what they leave out, and how clients read them."""
