"""The settlement that nobody made: reminded of, escalated, applied for, looked back on."""
