"""Tests of the Variables & secrets page."""
