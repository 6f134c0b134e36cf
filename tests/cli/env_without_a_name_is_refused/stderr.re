heddle: --env: '=value' names no variable.*
