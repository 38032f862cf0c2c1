"""Adaptive-bitrate rules, throughput estimators, guards and QoE: plain functions on arrays."""

DEFAULT_RULE = "bola_guarded"
"""What plays when nobody chooses: a name in `cushion_abr.registry`."""
