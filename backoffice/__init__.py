"""What pages of the back office are made of: lists, cells, tables, figures, curves. Knows no app of the product."""
