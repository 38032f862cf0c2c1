"""Ingest jobs: plan the steps of a source, run what is not done yet, publish the title as the last act."""
