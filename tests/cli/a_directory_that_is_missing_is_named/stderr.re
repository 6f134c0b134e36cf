[^\n]*nowhere[^\n]*\n
