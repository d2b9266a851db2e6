"""Real tools of remote access as stations run them: Debian's own programs, with keys and passwords of the lab."""
