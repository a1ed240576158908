"""`make fuzz`: hostile and random requests at a live server, each answer held against an OpenAPI document."""
