"""The project's figures, each measured against a yardstick in the same run. See ``RESULTS.md`` for what they were."""
