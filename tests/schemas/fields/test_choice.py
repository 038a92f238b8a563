EXAMPLES = [{"options": [{"id": "a", "label": "A"}, {"id": "b"}]}]
