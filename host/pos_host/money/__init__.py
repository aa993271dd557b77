"""What a merchant is owed: fees, payouts and the days they are due. Pure; not wired into the books yet."""
