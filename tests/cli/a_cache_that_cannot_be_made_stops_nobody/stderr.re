heddle: cache: not used: /proc/none/heddle: .*
