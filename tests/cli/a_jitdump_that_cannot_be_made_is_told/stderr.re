heddle: \./jit-[0-9]+\.dump: [^\n]*\n
