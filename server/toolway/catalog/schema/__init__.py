"""JSON Schemas of tools: definitions, cleaning, traversal, and portability between clients."""
