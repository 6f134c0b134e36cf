heddle: wrong\.wat:2:\d+: error: [^\n]*\n[^\n]*i32\.ad [^\n]*\n *\^\n
