heddle: cache: entry ignored: [0-9a-f]{64} has a mode that entries do not have
