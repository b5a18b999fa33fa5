"""The Alerts page's parts."""
