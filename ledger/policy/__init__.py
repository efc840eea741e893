"""Rules as code over parameters as data."""
