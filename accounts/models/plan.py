from __future__ import annotations

from django.db import models


class Plan(models.Model):
    """A named set of limits, shared by the tenants that have it."""

    name = models.SlugField(max_length=64, primary_key=True)
    limits = models.JSONField(default=dict, blank=True)
    """By the names of `accounts.quotas.catalogue`; what is not named is not limited."""
    suspend_after_violations = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="How many refusals a day (UTC) suspend a tenant; empty: never",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
