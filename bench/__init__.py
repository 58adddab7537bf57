"""How long it takes: winsvc beside C, pywin32 and psutil, on a real service control manager.

``make bench`` runs all of it in the lab and writes docs/performance.md; ``make bench ARGS=--quick``
takes a glance, and writes nothing into docs. On Windows: compile program.c, and run
``py -m bench program.exe`` from an elevated prompt, with the path of the compiled tests/service in
WINSVC_TEST_SERVICE.

``program.c`` and ``worker.py`` do the jobs, ``measure`` asks them in turns, ``report`` and
``chart`` tell; ``pure`` is what runs without Windows.
"""
