"""What the words of options are called on screen. A word that is not here speaks for itself: PNG, A4, 1/2."""

from schemas.fields.date import WEEKDAYS
from schemas.formats import FORMATS
from schemas.messages import Message, say

WORDS: dict[str, Message] = {
    **WEEKDAYS, **{name: form.words for name, form in FORMATS.items()},
    # shown as
    "any": say("Any"), "dropdown": say("Dropdown"), "radio": say("Round buttons"), "chips": say("Chips"),
    "checkboxes": say("Check boxes"), "auto": say("Automatic"), "none": say("Nothing"), "both": say("All devices"),
    "desk": say("Large screens"), "phone": say("Phones"), "across": say("Beside one another"), "down": say("Below one another"),
    "plain": say("Plain"), "primary": say("Emphasised"), "danger": say("Warning"), "list": say("The list"),
    "form": say("A form"), "record": say("The record"), "page": say("A page of blocks"), "flow": say("A flow"),
    # tones
    "above": say("Above them"), "beside": say("Beside them"),
    "gray": say("Grey"), "red": say("Red"), "orange": say("Orange"), "amber": say("Amber"), "green": say("Green"),
    "teal": say("Teal"), "blue": say("Blue"), "indigo": say("Indigo"), "purple": say("Purple"), "pink": say("Pink"),
    # periods
    "day": say("Day"), "week": say("Week"), "month": say("Month"), "quarter": say("Quarter"), "year": say("Year"),
    "hour": say("Hour"), "workday": say("Working day"), "seconds": say("Seconds"), "minutes": say("Minutes"),
    "hours": say("Hours"), "days": say("Days"), "previous": say("The period before"),
    # figures
    "sum": say("Sum"), "average": say("Average"), "min": say("Smallest"), "max": say("Largest"), "count": say("Count"),
    "count_distinct": say("Count of different ones"), "first": say("The first"), "last": say("The last"), "join": say("All in one text"),
    "group": say("By the group"), "value": say("Largest first"), "value_up": say("Smallest first"),
    "one": say("One record"), "many": say("Several records"), "all": say("All"), "visible": say("Only what the reader may see"),
    # addresses, codes, pictures
    "province": say("Province"), "city": say("Province and city"), "district": say("Province, city and district"),
    "detail": say("With street and number"), "amap": say("Amap"), "openstreetmap": say("OpenStreetMap"),
    "qr": say("QR code"), "code128": say("Code 128"), "ean13": say("EAN-13"), "offered": say("Offered"), "only": say("Nothing else"),
    "person": say("Who took it"), "place": say("Place"), "time": say("Time"), "name": say("Name"), "workspace": say("Workspace"),
    "email": say("E-mail"), "member": say("Member"), "department": say("Department"),
    # requests
    "query": say("In the address"), "json": say("As JSON"), "urlencoded": say("As a form"), "text": say("As a text"),
    "secret": say("Secret"), "edit": say("Something is edited"), "press": say("A button is pressed"), "send": say("The form is sent"),
    # links and records
    "keep": say("Kept"), "restrict": say("Not deleted"), "clear": say("Clear"), "trash": say("Into the trash as well"),
    # rights
    "hidden": say("Hidden"), "mask": say("Masked"), "replace": say("Masked, may be replaced"), "read": say("Read"),
    "write": say("Write"), "create": say("Add"), "update": say("Change"), "delete": say("Delete"), "import": say("Import"),
    "export": say("Export"), "print": say("Print"), "history": say("History"), "batch": say("Many at once"),
    "share": say("Share"), "start": say("Back to the starter"), "manage": say("Manage"),
    # flows
    "once": say("Once"), "each": say("Each time"), "run": say("Run all the same"), "ask": say("Ask all the same"),
    "approve": say("Approve"), "approve_next": say("Approve if they were asked just before"), "submit": say("Submit"),
    "reject": say("Reject"), "return": say("Return"), "transfer": say("Transfer"), "delegate": say("Delegate"),
    "add_signer": say("Add signers"), "copy": say("Send a copy"), "save": say("Save without deciding"),
    "comment": say("Leave a comment"), "before": say("Before"), "after": say("After"), "parallel": say("At the same time"),
    "replay": say("Go through all steps again"), "back": say("Come straight back"), "head": say("Ask their head"),
    "skip": say("Skip"), "veto": say("One is enough to reject"), "counts": say("Counted like approvals"),
    "every": say("All that apply"), "end": say("It ends"), "go_on": say("Go on"),
    "stop": say("Stop and tell its owner"), "approved": say("Approved"),
    "rejected": say("Rejected"), "ended": say("Ended"), "never": say("Never"), "until_first_decision": say("Until the first decision"),
    "until_end": say("Until the end"), "inbox": say("Notice"), "mail": say("E-mail"), "load": say("Who has the least"),
    "turns": say("In turn"), "weights": say("In turn, by weight"),
    "workday_before": say("The working day before"), "workday_after": say("The working day after"),
    # paper
    "word": say("A Word file"), "excel": say("An Excel file"), "formula": say("A formula"), "portrait": say("Upright"),
    "landscape": say("Lying"), "narrow": say("Narrow"), "normal": say("Normal"), "wide": say("Wide"), "small": say("Small"),
    "large": say("Large"), "sans": say("Sans serif"), "serif": say("Serif"), "left": say("Left"), "center": say("Centred"),
    "right": say("Right"), "letter": say("Letter"), "created": say("created"), "changed": say("changed"), "deleted": say("deleted"),
}  # fmt: skip
