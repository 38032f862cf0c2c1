"""The embeddable client: sessions, telemetry, resume, contracts, and the cushion command."""
