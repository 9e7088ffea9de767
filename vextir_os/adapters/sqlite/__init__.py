"""Queue, store, blobs and transactions over them in one SQLite file, with nothing but the standard library."""
