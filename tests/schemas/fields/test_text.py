EXAMPLES = [
    {},
    {"format": "phone"},
    {"format": "email"},
    {"format": "url"},
    {"format": "id_card"},
    {"format": "postcode"},
]
