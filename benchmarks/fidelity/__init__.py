"""The fidelity suite on other servers, each in its own environment."""
