"""Other packages' interfaces on toolway's engine, for those who move."""
