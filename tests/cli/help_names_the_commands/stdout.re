.*run.*--dir.*--env.*|.*run.*
