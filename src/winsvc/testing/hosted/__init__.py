"""Services in Python on the simulated system: deterministic threads in simulated time."""
