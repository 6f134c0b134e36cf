[^\n]*component[^\n]*\n
