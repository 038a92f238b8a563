"""The icons that a designer may choose from, by name; each is drawn by `static/icons.svg`."""

ICONS = (
    "table", "form", "view", "grid", "kanban", "calendar", "gallery", "dashboard", "flow", "folder", "folder-open",
    "list", "checklist", "clipboard", "file", "file-text", "file-check", "archive", "inbox", "layers", "box",
    "boxes", "package", "tag", "tags", "flag", "bookmark", "star", "pin", "milestone", "target", "award", "trophy",
    "activity", "chart", "gauge", "trending-up", "calculator", "percent", "scale", "money", "wallet", "card",
    "banknote", "circle-dollar-sign", "hand-coins", "piggy-bank", "badge-percent", "receipt", "quote",
    "contract", "stamp", "cart", "shopping-cart", "gift", "ticket", "truck", "warehouse", "factory", "car",
    "plane", "hotel", "fuel", "tools", "hammer", "construction", "puzzle", "bulb", "zap", "leaf", "coffee",
    "heart", "medical", "school", "book", "music", "image", "video", "map", "map-pin", "globe", "building",
    "building-2", "landmark", "network", "person", "people", "user-check", "user-plus", "contact", "handshake",
    "briefcase", "headset", "call", "mail", "message-square", "megaphone", "bell", "tasks", "done", "clock", "due",
    "calendar-check", "calendar-clock", "calendar-days", "repeat", "key", "lock", "shield", "shield-check",
    "server", "database", "code", "monitor", "phone", "scan", "barcode", "qr-code", "palette", "funnel",
    "circle-check", "circle-alert", "thumbs-up", "badge-check", "pencil", "waves", "home", "link",
)  # fmt: skip
