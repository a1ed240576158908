"""The API's description of itself, in OpenAPI 3.1: read off its views and serializers, written to docs/openapi.json."""
