"""satmachineclient: dollar cost averaging for the clients of Lamassu bitcoin ATMs, in LNbits."""

import asyncio
from contextlib import suppress

from fastapi import APIRouter
from lnbits.task_manager import task_manager

from .books.views import satmachineclient_books
from .clients.views import satmachineclient_clients
from .clients.views_forward import satmachineclient_forward
from .clients.views_me import satmachineclient_me
from .clients.views_wishes import satmachineclient_wishes
from .connection import db
from .machines.views import satmachineclient_machines
from .partners.views import satmachineclient_partner_me, satmachineclient_partners
from .paying.forwards import run_forwards
from .paying.views import satmachineclient_forwards
from .reports.views import satmachineclient_reports
from .telling.rounds import deliver, look
from .telling.views import satmachineclient_telling
from .transaction_processor import run_polls
from .views import satmachineclient_pages
from .views_api import satmachineclient_api

# Each router's routes as they are: FastAPI would build every one of them anew to include it.
satmachineclient_ext: APIRouter = APIRouter(
    routes=[
        *satmachineclient_pages.routes,
        *satmachineclient_clients.routes,
        *satmachineclient_api.routes,
        *satmachineclient_reports.routes,
        *satmachineclient_books.routes,
        *satmachineclient_machines.routes,
        *satmachineclient_partners.routes,
        *satmachineclient_partner_me.routes,
        *satmachineclient_me.routes,
        *satmachineclient_wishes.routes,
        *satmachineclient_telling.routes,
        *satmachineclient_forward.routes,
        *satmachineclient_forwards.routes,
    ]
)

satmachineclient_static_files = [
    {"path": "/satmachineclient/static", "name": "satmachineclient_static"}
]

TASKS = {
    "ext_satmachineclient_polls": run_polls,
    "ext_satmachineclient_alerts": look,
    "ext_satmachineclient_letters": deliver,
    "ext_satmachineclient_forwards": run_forwards,
}


def satmachineclient_start() -> None:
    """Start each background task once, in place of any from before an upgrade."""
    for name, run in TASKS.items():
        task_manager.create_permanent_task(run, name=name)


async def satmachineclient_stop() -> None:
    """End the background tasks, and wait until they have ended."""
    for name in TASKS:
        task = task_manager.get_task(name)
        if task:
            task_manager.cancel_task(task)
            with suppress(asyncio.CancelledError):
                await task.task


__all__ = [
    "db",
    "satmachineclient_ext",
    "satmachineclient_start",
    "satmachineclient_static_files",
    "satmachineclient_stop",
]
