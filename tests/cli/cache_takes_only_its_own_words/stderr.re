heddle: .*flush.*
