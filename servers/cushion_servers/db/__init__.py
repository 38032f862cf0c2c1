"""What the backend must not forget: titles, positions, telemetry, and the ledger of ingest jobs and steps."""
