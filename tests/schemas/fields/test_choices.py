EXAMPLES = [{"options": [{"id": "a", "label": "A"}, {"id": "b"}]}, {"options": [{"id": "a"}, {"id": "b"}], "fewest": 2}]
