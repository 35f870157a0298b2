"""What people look at: the pages that a browser opens."""
