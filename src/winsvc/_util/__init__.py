"""Helpers that are independent of services: checks, durations, JSON, text, handles, time."""
