"""Record batches in; measurements and findings out."""
