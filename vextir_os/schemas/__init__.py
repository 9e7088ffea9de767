"""What a project says of itself to machines: JSON Schemas of its events, an AsyncAPI document, schemas for editors."""
