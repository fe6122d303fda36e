"""What one machine has and can do: devices, programs, folders, and whether its sandbox holds."""
