"""What made the sample captures: a plant under a simulated clock, and a small real one in namespaces."""
