"""`make conformance`: every event by real changes, each body as received held against an OpenAPI document's schema."""
