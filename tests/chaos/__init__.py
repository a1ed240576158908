"""Promises under fire: real processes are killed, stopped and cut off under load; a checker looks for what is missing.

`python -m tests.chaos` runs it; checker.py judges, from a history that does not come from the engine's own tables.
"""
