"""Indicators of threat intelligence: files in, findings out of whatever traffic they are seen in."""
