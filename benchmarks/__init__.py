"""How fast and how large, measured against other tools in the same run; no part of the product."""
