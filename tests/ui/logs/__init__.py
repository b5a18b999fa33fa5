"""The Logs page on agents made of lists."""
