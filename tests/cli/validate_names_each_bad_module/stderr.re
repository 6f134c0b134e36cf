[^\n]*a\.wat:1:[^\n]*type mismatch.*c\.wat:1:[^\n]*type mismatch.*
