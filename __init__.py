"""satmachineclient: dollar cost averaging for the clients of Lamassu bitcoin ATMs, in LNbits."""

from fastapi import APIRouter

from .database import db
from .transaction_processor import start as satmachineclient_start
from .transaction_processor import stop as satmachineclient_stop
from .views import satmachineclient_pages
from .views_api import satmachineclient_api
from .views_clients import satmachineclient_clients
from .views_me import satmachineclient_me
from .views_reports import satmachineclient_reports

satmachineclient_ext: APIRouter = APIRouter(prefix="/satmachineclient", tags=["satmachineclient"])
satmachineclient_ext.include_router(satmachineclient_pages)
satmachineclient_ext.include_router(satmachineclient_clients)
satmachineclient_ext.include_router(satmachineclient_api)
satmachineclient_ext.include_router(satmachineclient_reports)
satmachineclient_ext.include_router(satmachineclient_me)

satmachineclient_static_files = [
    {"path": "/satmachineclient/static", "name": "satmachineclient_static"}
]

__all__ = [
    "db",
    "satmachineclient_ext",
    "satmachineclient_start",
    "satmachineclient_static_files",
    "satmachineclient_stop",
]
