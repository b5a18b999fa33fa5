"""The Procedures page: recipes, their runs, a run as it goes, the editor."""
