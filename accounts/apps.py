from __future__ import annotations

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts.people import sessions, sign_in  # noqa: PLC0415 -- they need the models

        user_logged_in.connect(sessions.note_entry, dispatch_uid="note_entry")
        user_logged_out.connect(sign_in.note_end, dispatch_uid="note_end")
