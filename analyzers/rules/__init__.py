"""Rules that the user wrote, in the format of Sigma: files in, findings out of every batch and of what is stored."""
