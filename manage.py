#!/usr/bin/env python
from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

from ffapi_site.lib import scope

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ffapi_site.settings")
    # Whoever may run commands here operates the installation.
    scope.act_for_every_tenant()
    execute_from_command_line(sys.argv)
