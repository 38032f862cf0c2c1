"""The reference streaming backend: ingest, transcoding, catalog, resume, telemetry, edge."""
