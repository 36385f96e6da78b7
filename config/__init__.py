"""What an operator edits: settings, sources, office-holders, the model."""
