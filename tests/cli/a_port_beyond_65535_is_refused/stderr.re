heddle: cannot listen on "127.0.0.1:65536": the port is no number up to 65535.*
