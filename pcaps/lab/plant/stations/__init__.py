"""What the stations run, each in its own namespace: real servers and real clients, one module a protocol."""
