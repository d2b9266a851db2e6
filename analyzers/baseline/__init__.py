"""Baselines: what a site's network usually does, learned for a while, kept in a file, and compared with."""
