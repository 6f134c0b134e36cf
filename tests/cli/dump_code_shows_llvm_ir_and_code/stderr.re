_start \[llvm\], function 1: .*\ndefine [^\n]* \{\n.*\n\+0x0 0x[0-9a-f]+ end\n    \+0x0\tret\n.*
