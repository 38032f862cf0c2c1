"""The playback engine and media path: manifests, engine, transports, decoders."""
