[^\n]*folder\.wasm[^\n]*\n
