"""Who learns of changes: the feed for those who wait, webhooks for those who are called."""
