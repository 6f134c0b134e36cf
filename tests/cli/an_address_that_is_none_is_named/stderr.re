.*cannot listen on "nowhere".*
