"""The Containers page and what belongs to it: rows, acts, detail, the create form."""
