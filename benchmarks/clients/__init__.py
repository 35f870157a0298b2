"""Clients that people use, each connected to the order desk over HTTP and stdio."""
