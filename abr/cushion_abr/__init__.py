"""Adaptive-bitrate rules, throughput estimators, guards and QoE: plain functions on arrays."""
