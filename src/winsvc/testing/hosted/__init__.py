"""Services in Python in simulated time: deterministic threads, an event loop and processes.

The threads of a simulated process are real ones of which one at a time runs, until it waits in
simulated time; then the test continues. So the real code of a service (:mod:`winsvc.host`) takes
the same course in every run, and an hour of its life takes no real time. No library offers this:
trio's ``MockClock`` and ``looptime`` have simulated time for tasks of one event loop, but services
consist of threads that the system starts, a dispatcher that calls handlers, and blocking waits.

The rest of the simulation uses four things only:

- :class:`~winsvc.testing.hosted.scheduler.CooperativeScheduler`: gives each thread its turn. The
  clock runs it.
- :class:`~winsvc.testing.hosted.processes.HostedProcess`: a process, with its
  :class:`~winsvc.testing.hosted.processes.HostedRun` for each service in it.
- :class:`~winsvc.testing.hosted.events.SimulatedEvent`: an event whose waits take simulated time.
- :func:`~winsvc.testing.hosted.eventloop.run_coroutine`: ``asyncio.run`` in simulated time.

This package knows the clock, but neither machines nor services.
"""
