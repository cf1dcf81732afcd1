"""What an export puts on a device as it stands here."""
