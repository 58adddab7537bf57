"""A real Windows CPython and a real service control manager, on Linux.

``python3 -m tools.lab`` prepares the lab and runs things in it; the Makefile is its usual caller.
Runs on the machine's own Python 3.11+ with nothing installed beside it.
"""
