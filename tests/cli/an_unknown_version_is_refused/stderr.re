[^\n]*version[^\n]*\n
