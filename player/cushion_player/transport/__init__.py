"""What fetches: the Transport interface and its implementations."""
