"""Programs that measure the promises of docs/reliability.md, with real processes beside throw-away servers.

`python -m bench.isolation`, `bench.idle`, `bench.overload`; each takes --json PATH and leaves nothing behind.
"""
