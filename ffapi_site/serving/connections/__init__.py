"""What one client may hold of the web server below HTTP: connections, and time on them."""
