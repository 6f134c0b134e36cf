[^\n]*(empty|unexpected end|magic)[^\n]*\n
