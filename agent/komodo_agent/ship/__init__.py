"""Images straight from one engine to another: only the layers that lack, checked by digest, resumable."""
