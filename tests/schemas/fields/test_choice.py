EXAMPLES = [
    {"options": [{"id": "a", "label": "A"}, {"id": "b"}]},
    {"options": [{"id": "a", "of": ["x"]}, {"id": "b"}], "depends_on": "other"},
    {"source": {"table": "others", "field": "name"}},
]
