"""A driver out of an OpenAPI document. Nothing of a document becomes code but checked names and quoted literals."""
