EXAMPLES = [{"fields": [{"id": "what", "type": "text"}, {"id": "count", "type": "number"}]}]
