"""The books: terminals, batches, transactions, totals, and the rules that post to them."""
