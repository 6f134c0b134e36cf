_start \[llvm\], function 1: .*\ndefine [^\n]* \{\n.*\n\+0x0 0x[0-9a-f]+ entry\n    \+0x0\t.*\n    \+0x[0-9a-f]+\tret\n.*
