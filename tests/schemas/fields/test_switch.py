EXAMPLES = [{}, {"yes": "On", "no": "Off"}]
