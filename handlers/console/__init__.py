"""The terminal: the surface without a token. Pure renderers for rich, and a sender that prints."""
