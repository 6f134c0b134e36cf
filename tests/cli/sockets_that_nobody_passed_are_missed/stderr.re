.*--listenfd: no sockets were passed to this process.*
