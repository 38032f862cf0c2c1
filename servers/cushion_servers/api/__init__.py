"""What the backend answers: the JSON API, the telemetry intake and the media edge, as one ASGI application."""
