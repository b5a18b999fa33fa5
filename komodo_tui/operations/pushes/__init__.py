"""From a git push to what it sets off: looking and listening, one queue on disk, one run for each push."""
