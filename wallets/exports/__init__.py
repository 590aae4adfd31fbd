"""Reports that are too long to wait for: asked for in the back office, made by a worker, kept for some days."""
