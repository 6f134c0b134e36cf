.*env.*one.*env.*two.*
