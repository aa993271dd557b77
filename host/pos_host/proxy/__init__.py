"""A proxy between any terminal and any host that does harm to the connections through it, on command."""
