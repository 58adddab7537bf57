"""The tools of developers."""
