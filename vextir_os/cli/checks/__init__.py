"""What `vextir check` looks at, one module for each kind of file; each returns findings and raises nothing."""
