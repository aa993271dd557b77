"""Keys of terminals and what they protect: MACs, PINs and chip cryptograms, as the host sees them."""
