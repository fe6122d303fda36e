#!/usr/bin/env python
from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line
from django.db import OperationalError

from ffapi_site.lib import scope

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ffapi_site.settings")
    # Whoever may run commands here operates the installation.
    scope.act_for_every_tenant()
    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:  # it is away, or not there yet: not a fault of the command
        if "--traceback" in sys.argv:
            raise
        sys.exit(str(error).strip())
