"""Drafts + mapping + options + what the ledger knows → a plan: bodies as they will be sent, findings for the rest.

One door to planning: values stand in `planned`, what both kinds share in `planning`.
"""

from codat_ar_cli.domain.invoice_index import InvoiceIndex
from codat_ar_cli.domain.planned import ControlTotals, Disposition, KnownPush, Plan, PlannedDocument
from codat_ar_cli.domain.planning import PlanContext
from codat_ar_cli.domain.planning_invoices import plan_invoices
from codat_ar_cli.domain.planning_payments import plan_payments

__all__ = [
    "ControlTotals",
    "Disposition",
    "InvoiceIndex",
    "KnownPush",
    "Plan",
    "PlanContext",
    "PlannedDocument",
    "plan_invoices",
    "plan_payments",
]
