"""ATT&CK for ICS: what of it the findings cite, what traffic cannot show, and both as a layer of the Navigator."""
