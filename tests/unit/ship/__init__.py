"""Parts of shipping, each alone."""
