"""The fidelity suite played against other servers, each in an environment of its own."""
