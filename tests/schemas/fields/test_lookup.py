EXAMPLES = [{"path": "owner.name"}]
