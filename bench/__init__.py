"""Measurements that a test must not assert: each prints one JSON object. Run from the checkout: `python -m bench.NAME`."""
