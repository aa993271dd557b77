"""The account that a merchant is paid to, and its holder: as they are, and how they change."""
