"""What operations are built of: encoding, filters, frames, parts of a source, joined clips."""
