"""The Actions tab: the history of acts, its detail, its export and its check. The page is ``pages.actions``."""
