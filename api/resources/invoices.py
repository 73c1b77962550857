"""Invoices on the wire: the names of their lists (``api.md`` 3.3). There are no invoice documents yet."""

from api.fields import Column, Columns

COLUMNS = Columns(
    (
        Column("id", "guid"),
        Column("code", orders=True),
        Column("status", "word", words={word: (word,) for word in ("Paid", "Unpaid", "Canceled")}),
        Column("statusId", "integer"),
        Column("statusName"),
        Column("type", "word", words={word: (word,) for word in ("Debit", "Credit")}),
        Column("typeId", "integer"),
        Column("typeName"),
        Column("invoiceDate", "moment", orders=True),
        Column("dueDate", "moment", orders=True),
        Column("paidDate", "moment"),
        Column("accountId", "integer"),
        Column("accountName"),
        Column("billingToId", "integer"),
        Column("billingToName", orders=True),
        Column("currency"),
        Column("transactionCurrency"),
        Column("isReceipt", "bool"),
        Column("totalBeforeTax", "number"),
        Column("total", "number", orders=True),
        Column("unpaidAmount", "number", orders=True),
        Column("createdAt", "moment", orders=True),
        Column("updatedAt", "moment", orders=True),
    ),
    default_order=("invoiceDate", True),
)
