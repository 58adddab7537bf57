"""The benchmark: compare winsvc with C, pywin32 and psutil on a real service control manager.

``make bench`` runs it in the lab and writes docs/performance.md; ``make bench ARGS=--quick`` is a
short run and does not write to docs. On Windows: compile program.c, and run
``py -m bench program.exe`` from an elevated prompt, with the path of the compiled tests/service in
WINSVC_TEST_SERVICE.

``program.c`` and ``worker.py`` perform the jobs, ``measure`` runs them alternately, ``report`` and
``chart`` write the results; ``pure`` measures the parts that run without Windows.
"""
