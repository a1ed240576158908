"""Programs that measure the promises of docs/reliability.md and docs/performance.md, with real processes.

Each is `python -m bench.NAME`, takes --json PATH, starts throw-away servers and leaves nothing behind.
"""
