[^\n]*magic[^\n]*\n
