"""What tests, bench and chaos share: live sites, their customers, media, and what is measured."""
