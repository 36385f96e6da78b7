"""Discord: gateway client and app commands, pure renderers to embeds, sender."""
