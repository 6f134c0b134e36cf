heddle: broken\.wasm: illegal opcode[^\n]* \(at byte 23\)\n
