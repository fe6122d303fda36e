from __future__ import annotations

from django.apps import AppConfig


class MediaJobsConfig(AppConfig):
    name = "media_jobs"
    verbose_name = "Media jobs"

    def ready(self) -> None:
        """Fill the hooks of storage, the quotas and the sandbox; say who is told of events."""
        # Models can't be imported before the apps are loaded.
        from accounts.quotas import alerts  # noqa: PLC0415
        from accounts.quotas import hooks as asked_by_quotas  # noqa: PLC0415
        from media_jobs import events  # noqa: PLC0415
        from media_jobs.engine import quota_hooks  # noqa: PLC0415
        from media_jobs.events import change_feed, webhooks  # noqa: PLC0415
        from media_jobs.host import private_paths, probe  # noqa: PLC0415
        from media_jobs.sandbox import allowed_paths  # noqa: PLC0415
        from media_jobs.worker import outputs  # noqa: PLC0415
        from storage import hooks  # noqa: PLC0415

        hooks.inspect = probe.summary
        hooks.in_use = outputs.in_use
        allowed_paths.kept = private_paths.named
        asked_by_quotas.open_work = quota_hooks.open_work
        asked_by_quotas.kept_rows = quota_hooks.kept_rows
        asked_by_quotas.announce = quota_hooks.announce

        woken = events.ENDED | {events.GIVEN_BACK, events.CANCEL_REQUESTED}
        events.subscribers = (
            events.Subscriber(webhooks.queue, events.ENDED | frozenset(alerts.EVENTS)),
            # Late: from here to the commit others of the tenant wait, where it has limits.
            events.Subscriber(quota_hooks.settle, events.ENDED),
            # The database itself wakes those who wait for a start.
            events.Subscriber(change_feed.announce, woken),
        )
