[^\n]*time limit of 0\.05 s.*
