"""A plant's traffic under a simulated clock: the same seed gives the same bytes, on any machine."""
