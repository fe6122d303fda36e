"""The bases of every app's API views and pages: who asks, what they may, how a page is cut."""
