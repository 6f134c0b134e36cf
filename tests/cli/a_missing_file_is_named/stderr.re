[^\n]*nowhere\.wasm[^\n]*\n
