[^\n]*unknown import "env" "f"[^\n]*\n.*
