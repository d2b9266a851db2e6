"""Files of other systems in; approvals and logins as replays read them out."""
