"""What finance people read and hand on: a document is made once, and written as CSV, XLSX, PDF or a page."""
