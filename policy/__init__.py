"""What should happen: the site's model, its loader and its checks."""
