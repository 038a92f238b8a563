EXAMPLES = [{}]
