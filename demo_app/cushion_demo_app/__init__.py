"""The Cushion desktop player (Qt) and the demo that starts everything."""
