"""The state, lifespan and middleware with which toolway extends the FastAPI application that it serves."""
