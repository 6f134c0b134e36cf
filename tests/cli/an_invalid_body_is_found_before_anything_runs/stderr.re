heddle: wrong\.wat:2:\d+: error: type mismatch[^\n]*\n[^\n]*\n *\^\n
