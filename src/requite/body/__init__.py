"""Request bodies: one small encoder an option, each giving a ``Body`` or nothing."""
