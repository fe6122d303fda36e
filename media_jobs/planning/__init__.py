"""What is decided about a job before it runs: its plan, lane, limits, needs and availability."""
