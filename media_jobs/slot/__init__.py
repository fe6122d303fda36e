"""The process that runs jobs: a django-q2 cluster of one worker, and what watches over it."""
