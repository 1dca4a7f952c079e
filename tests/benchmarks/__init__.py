"""What a request costs: requite beside its peers, on one core, against a real server."""
