"""`make conformance`: every event, as received, and every operation, as called, held against an OpenAPI document."""
