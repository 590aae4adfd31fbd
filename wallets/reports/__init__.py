"""What finance asks the books: each report is a document, made of what the ledger and the product tell."""
