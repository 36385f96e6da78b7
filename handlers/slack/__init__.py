"""Slack: a bolt app that hears commands, pure renderers to Block Kit, and a sender of alerts."""
