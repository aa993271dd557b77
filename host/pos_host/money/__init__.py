"""What a merchant is owed and paid: products, fees, payouts and the days they are due, and their proof."""
