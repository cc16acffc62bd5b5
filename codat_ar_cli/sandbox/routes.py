"""Every route: method, path, and the function that answers it."""

from collections.abc import Callable

from codat_ar_cli.sandbox import routes_control as control
from codat_ar_cli.sandbox import routes_data as data
from codat_ar_cli.sandbox import routes_platform as platform
from codat_ar_cli.sandbox import routes_push as push
from codat_ar_cli.sandbox.answers import Answer, Call
from codat_ar_cli.sandbox.world import World

Handler = Callable[[World, Call], Answer]

_COMPANY = "/companies/{companyId}"
_CONNECTION = _COMPANY + "/connections/{connectionId}"
_ATTACHMENTS = _CONNECTION + "/data/{resource}/{recordId}/attachments"

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", _COMPANY + "/push", push.list_operations),
    ("GET", _COMPANY + "/push/{pushOperationKey}", push.get_operation),
    ("POST", _CONNECTION + "/push/{resource}", push.create),
    ("PUT", _CONNECTION + "/push/{resource}/{recordId}", push.update),
    ("DELETE", _CONNECTION + "/push/{resource}/{recordId}", push.delete),
    ("POST", _CONNECTION + "/push/{resource}/{recordId}/attachment", push.attach),
    ("GET", _CONNECTION + "/options/{dataType}", push.get_options),
    ("GET", _COMPANY + "/data/info", data.get_info),
    ("POST", _COMPANY + "/data/info", data.refresh_info),
    ("POST", _COMPANY + "/data/all", data.queue_all),
    ("POST", _COMPANY + "/data/queue/{dataType}", data.queue_type),
    ("GET", _COMPANY + "/data/history", data.list_history),
    ("GET", _COMPANY + "/data/history/{datasetId}", data.get_history),
    ("GET", _COMPANY + "/data/invoices/{recordId}/pdf", data.get_invoice_pdf),
    ("GET", _COMPANY + "/data/{resource}", data.list_records),
    ("GET", _COMPANY + "/data/{resource}/{recordId}", data.get_record),
    ("GET", _CONNECTION + "/data/{resource}", data.list_connection_records),
    ("GET", _CONNECTION + "/data/{resource}/{recordId}", data.get_connection_record),
    ("GET", _ATTACHMENTS, data.list_attachments),
    ("GET", _ATTACHMENTS + "/{attachmentId}", data.get_attachment),
    ("GET", _ATTACHMENTS + "/{attachmentId}/download", data.download_attachment),
    ("GET", _COMPANY + "/dataStatus", data.data_status),
    ("GET", _COMPANY + "/sync/{datasetId}/validation", data.sync_validation),
    ("GET", _COMPANY + "/reports/agedDebtor", data.aged_debtor),
    ("GET", _COMPANY + "/reports/agedDebtor/available", data.aged_debtor_available),
    ("GET", "/companies", platform.list_companies),
    ("POST", "/companies", platform.create_company),
    ("GET", _COMPANY, platform.get_company),
    ("PUT", _COMPANY, platform.replace_company),
    ("PATCH", _COMPANY, platform.update_company),
    ("DELETE", _COMPANY, platform.delete_company),
    ("GET", _COMPANY + "/connections", platform.list_connections),
    ("POST", _COMPANY + "/connections", platform.create_connection),
    ("GET", _CONNECTION, platform.get_connection),
    ("PATCH", _CONNECTION, platform.update_connection),
    ("DELETE", _CONNECTION, platform.delete_connection),
    ("GET", _COMPANY + "/syncSettings", platform.get_sync_settings),
    ("POST", _COMPANY + "/syncSettings", platform.set_sync_settings),
    ("GET", "/integrations", platform.list_integrations),
    ("GET", "/integrations/{platformKey}", platform.get_integration),
    ("GET", "/profile", platform.get_profile),
    ("PUT", "/profile", platform.replace_profile),
    ("GET", "/profile/syncSettings", platform.get_profile_sync_settings),
    ("POST", "/profile/syncSettings", platform.set_profile_sync_settings),
    ("GET", "/webhooks", platform.list_webhooks),
    ("POST", "/webhooks", platform.create_webhook),
    ("DELETE", "/webhooks/{webhookId}", platform.delete_webhook),
)

CONTROL_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/__sandbox/health", control.health),
    ("GET", "/__sandbox/clock", control.get_clock),
    ("POST", "/__sandbox/clock", control.move_clock),
    ("GET", "/__sandbox/faults", control.get_faults),
    ("PUT", "/__sandbox/faults", control.set_faults),
    ("DELETE", "/__sandbox/faults", control.clear_faults),
    ("GET", "/__sandbox/record", control.get_record),
    ("POST", "/__sandbox/link/{companyId}/{connectionId}", platform.link),
)
