"""The API, called over HTTP as a client of the document would: each operation, with all that it may be sent."""
