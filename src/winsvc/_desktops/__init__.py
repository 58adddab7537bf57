"""Window stations and desktops.

A window station has a clipboard and desktops; each process is assigned to one. A desktop has
windows; each thread is assigned to one. Handles that were opened or created are owned and closed;
those of the process and of its threads are borrowed and never closed.
"""
