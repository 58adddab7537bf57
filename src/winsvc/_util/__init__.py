"""What does not depend on services: checks, durations, JSON, text, handles, time."""
