[^\n]*(unexpected end|out of bounds|length)[^\n]*\n
