"""What other packages are told, as values: beside the settings that come from outside."""
