[^\n]*unreachable[^\n]*\n[^\n]*\$inner[^\n]*\n[^\n]*\$outer[^\n]*\n
