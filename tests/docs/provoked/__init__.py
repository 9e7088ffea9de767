"""Every code of the OS, provoked through the way on which a person meets it. Used by the test of docs/errors.md."""
