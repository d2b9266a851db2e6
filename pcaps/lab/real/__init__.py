"""A small Mine A of real stacks in network namespaces, recorded once: its capture is a golden file."""
