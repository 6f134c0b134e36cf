[^\n]*threads are switched off\n
