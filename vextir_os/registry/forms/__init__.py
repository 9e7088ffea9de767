"""Drivers that are declared and not programmed: YAML files and agents in markdown, read, checked, made manifests."""
