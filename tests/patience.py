"""How long a test waits for what must come: a guard against hanging, never a measure of speed."""

HANGING_S = 60.0
"""What is waited for comes in milliseconds, or in seconds where the machine is busy with other things. A shorter
guard would fail for the machine's reasons; a longer one would let a test that hangs cost more than it tells."""
