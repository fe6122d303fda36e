"""What operators see of the installation: health and metrics."""
