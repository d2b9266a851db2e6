"""Packets in, record batches out."""
