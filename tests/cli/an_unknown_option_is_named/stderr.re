[^\n]*--no-such-option[^\n]*\n
