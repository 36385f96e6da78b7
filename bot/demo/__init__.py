"""The demo: a made-up fortnight of news, served on this machine and played through the real pipeline."""
