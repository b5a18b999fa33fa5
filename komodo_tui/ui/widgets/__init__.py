"""The widgets every page is made of. Import the modules."""
