"""What people read: rows computed from accounts, always current, rebuilt in seconds."""
