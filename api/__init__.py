"""The findings and measurements as JSON over HTTP."""
