heddle: bad\.wat:1:\d+: error: type mismatch.*
