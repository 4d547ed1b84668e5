#!/bin/sh
./rerun.sh --all-legit --seeds 1,2 --out legit5.txt none l-surrogates-kept l-nul-stripped-echo l-both-faults-O005-first l-both-faults-O005-request l-rejected-uses-number l-503-overlap l-mixed-reading l-spring-stock > /dev/null 2>&1
./rerun.sh --out f5.txt 'r-sharedbuf*' e-empty-bu-if-none e-emptybu-absent e-blankbu-absent t-item-none t-rejected-none v-json-plus v-json-dot v-json-leadingzero u-marks-first5 u-expire1s h-dup-length > /dev/null 2>&1
