"""Images on their way between two private servers."""
