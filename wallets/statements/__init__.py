"""A wallet's statement over a period, as a file to keep: CSV, XLSX and PDF."""
