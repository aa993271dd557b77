"""Reports on the merchants' money: settlement, discrepancies, what was left unsettled; their amounts add up."""
