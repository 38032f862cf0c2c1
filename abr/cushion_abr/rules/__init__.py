"""The rules: one module each, plain functions on the values of `cushion_abr.contract`."""
