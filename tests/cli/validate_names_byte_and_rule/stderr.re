heddle: malformed\.wasm: illegal opcode[^\n]* \(at byte 24\)
heddle: invalid\.wasm: type mismatch[^\n]* \(at byte 23\)
heddle: late\.wasm: unknown memory 0[^\n]* \(at byte 29\)
heddle: both\.wasm: type mismatch[^\n]* \(at byte 23\)
heddle: text\.wat:3:5: error: type mismatch[^\n]*
    i32\.eqz\)\)
    \^
?
