"""A real Windows CPython and a real service control manager, on Linux.

``python3 -m tools.lab`` prepares the lab and runs programs in it, usually called by the Makefile.
It needs only the machine's Python, 3.11 or later, without packages.
"""
