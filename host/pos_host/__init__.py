"""The host: answers terminals, keeps their books and settles them."""
