"""A policy drafted from what is seen: zones, conduits and rules, for a person to review."""
