# Longer than a gateway keeps an idle connection; the default is 20 s.
threads 8, 8
persistent_timeout 75
quiet
