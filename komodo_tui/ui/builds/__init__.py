"""The Builds page: images, how they are built, and the builds there have been."""
