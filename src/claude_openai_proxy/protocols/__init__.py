"""Wire types with the published names."""
