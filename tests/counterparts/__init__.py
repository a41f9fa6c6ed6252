"""Local servers that speak the protocols of services, for tests with the real clients; and tiny models."""
