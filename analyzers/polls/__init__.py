"""Polls: cyclic requests, the slots that they are due in, and what it means when they come to nothing."""
