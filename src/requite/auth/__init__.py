"""Authentication: one small signer a scheme, behind one ordered table."""
