# SPDX-License-Identifier: MIT
# Nanoseconds a class against K, one row: gnuplot -e "csv='overhead.csv'" -e "svg='overhead.svg'" overhead.gnuplot
set terminal svg size 800,500 font "sans,13" background rgb "white"
set output svg
set datafile separator ";"
set logscale xy
set xlabel "classes"
set ylabel "nanoseconds a class"
set title "One row of float logits, one thread, -O3 -march=native"
set grid ytics xtics
set key top right
pick(flags, name) = sprintf("< awk -F';' -v f='%s' -v n='%s' '$1 ~ f && index($2, n) == 1 && $2 ~ /rows:1$/ {split($2, k, \"K:\"); split(k[2], r, \"/\"); print r[1] \";\" $4 \";\" $4 / $5}' %s | sort -n -t';'", flags, name, csv)
plot pick("^PyTorch", "PyTorch dcp/open/") using 1:2 with linespoints lw 2 title "PyTorch, DCP", \
     pick("native", "dcp/open/float") using 1:2 with linespoints lw 2 title "chaff, dcp, gate open", \
     pick("native", "dcp/closed/float") using 1:3 with linespoints lw 2 title "Eigen, softmax", \
     pick("native", "dcp/closed/float") using 1:2 with linespoints lw 2 title "chaff, dcp, gate closed"
