"""Keeping data: backups, restoring them, looking ahead at a migration. Works on data directories, beside any OS."""
