code .*\nfunctions, baseline, cached +1 .*
